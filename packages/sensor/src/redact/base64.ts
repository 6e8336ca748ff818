import { isUtf8 } from 'node:buffer'

/** A run of base64 in a string that decodes to text. */
export interface EncodedRun {
  start: number
  end: number
  text: string
}

const run = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}/g
const charsMin = 16
const isOfRun = new Uint8Array(128)
for (const unit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-') isOfRun[unit.charCodeAt(0)] = 1
const charsMax = 4 * 1024 * 1024

/**
 * Runs of standard or URL-safe base64 (RFC 4648 §4, §5; line breaks as in MIME) whose bytes are text: UTF-8 without control
 * characters, or UTF-16LE as PowerShell's -EncodedCommand has it. A look at the first bytes spares the rest for words and paths.
 */
export function encodedRuns(text: string): EncodedRun[] {
  if (!hasRun(text)) return []
  const runs: EncodedRun[] = []
  for (const found of text.matchAll(run)) {
    const whole = decodeLines(found[0], found.index)
    if (whole !== undefined) runs.push(whole)
    else if (/[/\n]/.test(found[0])) runs.push(...decodeSegments(found[0], found.index))
  }
  return runs
}

/** What most texts lack. Read from behind: no run of 16 crosses a character that is not of one, so words are skipped whole. */
function hasRun(text: string): boolean {
  let from = 0
  while (from + charsMin <= text.length) {
    let at = from + charsMin - 1
    while (at >= from && isOfRun[text.charCodeAt(at)] === 1) at--
    if (at < from) return true
    from = at + 1
  }
  return false
}

/** The line before wrapped base64 may be a rule or a word, and so may the one behind it. */
function decodeLines(lines: string, start: number): EncodedRun | undefined {
  let from = 0
  while (from < lines.length && !startsAsText(lines.slice(from, from + 32))) {
    const next = lines.indexOf('\n', from)
    if (next < 0) return undefined
    from = next + 1
  }
  const end = lines.lastIndexOf('\n')
  return (
    decodeRun(lines.slice(from), start + from) ??
    (end > from ? decodeRun(lines.slice(from, end), start + from) : undefined)
  )
}

/** A slash may also part a path, `/files/<base64>/raw`, and a line break a line from another. */
function decodeSegments(path: string, start: number): EncodedRun[] {
  const runs: EncodedRun[] = []
  let at = start
  for (const segment of path.split(/[/\n]/)) {
    const decoded = segment.length >= charsMin ? decodeRun(segment, at) : undefined
    if (decoded !== undefined) runs.push(decoded)
    at += segment.length + 1
  }
  return runs
}

function decodeRun(encoded: string, start: number): EncodedRun | undefined {
  if (encoded.length > charsMax || !startsAsText(encoded)) return undefined
  const text = textOf(Buffer.from(encoded, 'base64'))
  return text === undefined ? undefined : { start, end: start + encoded.length, text }
}

function startsAsText(encoded: string): boolean {
  const bytes = Buffer.from(encoded.slice(0, 24), 'base64')
  return bytes.length >= 8 && (isUtf16(bytes) || (bytes.every(isTextByte) && beginsUtf8(bytes)))
}

/** The last character may be cut. */
function beginsUtf8(bytes: Buffer): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, bytes.length - cut)))
}

function textOf(bytes: Buffer): string | undefined {
  if (isUtf16(bytes)) return bytes.toString('utf16le')
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  return controls.test(text) ? undefined : text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: text is what has none of them.
const controls = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/

function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : (byte >= 9 && byte <= 13) || byte === 27
}

function isUtf16(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, 16)
  return sample.length >= 8 && sample.every((byte, i) => (i % 2 === 0 ? isTextByte(byte) : byte === 0))
}

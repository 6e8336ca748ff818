import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'
import { type Frame, inheritedBy, isNameKey, isValueKey, openFrame, pairVerdict, verdictAt } from './json-frames.ts'
import { decodeJsonString, isPlain, jsonStringOffsets } from './json-string.ts'
import { judgeKey, type KeyVerdict } from './key-names.ts'
import { matchOf } from './match.ts'
import type { Match } from './rule.ts'
import { type Scan, scanString } from './scan-string.ts'
import { valueMatches } from './value-verdict.ts'

/** Deeper text is redacted as plain text. */
const nestingMax = 10_240
const cleanNamesMax = 10_000
const cleanNameCharsMax = 64
const nothing: readonly Match[] = []
const pointerCharsMax = 512

/** One walk over one JSON text. Edits are in byte offsets of that text. */
interface Walk {
  bytes: Buffer
  scan: Scan
  depth: number
  frames: Frame[]
  edits: Match[]
}

/** Everything to remove from a JSON text, in byte offsets, in order; undefined where it is not JSON. */
export function walkJson(bytes: Buffer, scan: Scan, depth: number): Match[] | undefined {
  const walk: Walk = { bytes, scan, depth, frames: [], edits: [] }
  const scanner = new JsonScanner((token) => onToken(walk, token), { depthMax: nestingMax })
  scanner.push(bytes)
  if (scanner.end() !== undefined) return undefined
  return walk.edits.sort((a, b) => a.start - b.start)
}

/** The same for a string that holds JSON: offsets in its UTF-16 units. */
export function scanNestedJson(text: string, scan: Scan, depth: number): Match[] | undefined {
  const bytes = Buffer.from(text, 'utf8')
  const edits = walkJson(bytes, scan, depth)
  if (edits === undefined || bytes.length === text.length) return edits
  const units = new Int32Array(bytes.length + 1)
  let unit = 0
  for (let at = 0; at < bytes.length; at++) {
    units[at] = unit
    const byte = bytes[at] ?? 0
    if (byte < 0x80 || byte >= 0xc0) unit += byte >= 0xf0 ? 2 : 1
  }
  units[bytes.length] = unit
  return edits.map((edit) => ({ ...edit, start: units[edit.start] ?? 0, end: units[edit.end] ?? 0 }))
}

function onToken(walk: Walk, token: JsonToken): void {
  const frame = walk.frames.at(-1)
  const isEnd = token.type === 'endObject' || token.type === 'endArray'
  if (frame?.isArray && !isEnd) frame.index++
  if (isEnd) onEnd(walk, token)
  else if (token.type === 'key') onKey(walk, frame, token)
  else if (token.type === 'beginObject' || token.type === 'beginArray')
    walk.frames.push(openFrame(token.type, userVerdict(walk) ?? inheritedBy(frame)))
  else if (token.type === 'string') onString(walk, frame, token)
  else if (token.type === 'number') onNumber(walk, frame, token)
  else if (frame?.isArray) frame.previous = undefined
}

function onKey(walk: Walk, frame: Frame | undefined, token: JsonToken): void {
  const key = decodeJsonString(walk.bytes, token.start, token.end)
  const cleanNames = cleanNamesAt(walk)
  const matches = cleanNames.has(key) ? nothing : scanString(key, walk.scan, walk.depth)
  if (matches.length === 0) keepName(cleanNames, key)
  if (frame !== undefined) frame.key = matches.length === 0 ? key : splice(key, matches)
  pushAll(walk, token, { text: key, matches })
}

/** Of this depth alone: deeper down fewer encodings are undone, and less is found. */
function cleanNamesAt({ scan, depth }: Walk): Set<string> {
  const there = scan.cleanNames[depth] ?? new Set()
  scan.cleanNames[depth] = there
  return there
}

function keepName(names: Set<string>, name: string): void {
  if (name.length > cleanNameCharsMax) return
  if (names.size >= cleanNamesMax) names.clear()
  names.add(name)
}

function onString(walk: Walk, frame: Frame | undefined, token: JsonToken): void {
  const value = decodeJsonString(walk.bytes, token.start, token.end)
  const verdict = userVerdict(walk) ?? verdictAt(frame)
  const matches = valueMatches(value, verdict, {
    scan: walk.scan,
    depth: walk.depth,
    command: frame?.first,
    option: frame?.previous,
  })
  pushAll(walk, token, { text: value, matches })
  if (frame !== undefined) remember(frame, { token, value, isClean: matches.length === 0 })
}

/** Keeps what a later token may give meaning to. */
function remember(frame: Frame, seen: { token: JsonToken; value: string; isClean: boolean }): void {
  const { token, value, isClean } = seen
  const key = frame.key ?? ''
  if (frame.isArray) {
    if (frame.index === 0) frame.first = value.length <= 256 ? value : undefined
    if (frame.index === 1 && isClean) frame.pending = { start: token.start, end: token.end, value, key }
    frame.previous = value.length <= 256 ? value : undefined
  } else if (isNameKey(key) && value.length <= 128) {
    frame.named ??= judgeKey(value)
  } else if (key === 'kind') {
    frame.kind = value.slice(0, 64)
  } else if (isValueKey(key) && isClean && frame.named === undefined) {
    frame.pending = { start: token.start, end: token.end, value, key }
  }
}

/** A string whose name came after it, or that is the second of a pair. */
function onEnd(walk: Walk, token: JsonToken): void {
  const frame = walk.frames.at(-1)
  const verdict = frame?.pending && (token.type === 'endArray' ? pairVerdict(frame) : frame.named)
  const pointer = verdict === undefined ? '' : pointerOfPending(walk, frame)
  walk.frames.pop()
  if (frame?.pending === undefined || verdict === undefined) return
  const { start, end, value } = frame.pending
  const matches = valueMatches(value, verdict, {
    scan: walk.scan,
    depth: walk.depth,
    command: undefined,
    option: undefined,
  })
  push(walk, { start, end }, { text: value, matches, pointer })
}

function onNumber(walk: Walk, frame: Frame | undefined, token: JsonToken): void {
  const text = walk.bytes.toString('latin1', token.start, token.end)
  const verdict = userVerdict(walk) ?? verdictAt(frame)
  if (frame?.isArray) frame.previous = undefined
  const isInherited = verdict !== undefined && verdict === frame?.inherited && verdict.class !== 'custom'
  const direct = isInherited ? undefined : verdict
  const match = numberMatch(text, direct, walk.scan)
  if (match === undefined) return
  const replacement = `"${match.replacement}"`
  push(walk, token, { text, matches: [{ ...match, replacement }], pointer: pointerOf(walk) })
}

/** A number goes as a whole or stays: part of one is not JSON. */
function numberMatch(text: string, verdict: KeyVerdict | undefined, scan: Scan): Match | undefined {
  const digits = text.replace('-', '')
  const goes =
    (verdict?.strength === 'password' && digits.length >= 3) ||
    (verdict?.strength === 'pin' && /^\d{3,8}$/.test(digits)) ||
    (verdict?.strength === 'secret' && /^\d{4,}$/.test(digits) && verdict.rule !== 'token') ||
    ((verdict?.strength === 'card' || verdict?.strength === 'ssn') && digits.length >= 8) ||
    (verdict !== undefined && verdict.class === 'custom')
  if (goes && verdict !== undefined && scan.enabled.has(verdict.class))
    return matchOf(verdict.rule, verdict.class, { value: text, start: 0 })
  if (digits.length < 7 && scan.userRules.length === 0) return undefined
  const [found] = scanString(text, scan, Number.POSITIVE_INFINITY)
  return found === undefined ? undefined : matchOf(found.rule, found.class, { value: text, start: 0 })
}

/** Users' rules on names and places come first: they are deliberate. */
function userVerdict(walk: Walk): KeyVerdict | undefined {
  const { userRules } = walk.scan
  if (userRules.length === 0) return undefined
  const frame = walk.frames.at(-1)
  const key = frame?.isArray ? undefined : frame?.key
  const rule = userRules.find(
    (candidate) =>
      (key !== undefined && candidate.isKey(key)) || (candidate.hasPaths && candidate.isPath(pathOf(walk))),
  )
  return rule === undefined ? undefined : { strength: 'password', rule: rule.id, class: rule.class }
}

function pathOf(walk: Walk): string[] {
  return walk.frames.map((frame) => (frame.isArray ? String(frame.index) : (frame.key ?? '')))
}

/** JSON Pointer (RFC 6901) to the current value; a long one is cut in the middle, where it says least. */
function pointerOf(walk: Walk): string {
  let pointer = ''
  const frames = walk.frames
  for (let i = 0; i < frames.length; i++) {
    if (pointer.length > pointerCharsMax) return `${pointer.slice(0, pointerCharsMax)}…`
    const frame = frames[i]
    const segment = frame === undefined ? '' : frame.isArray ? String(frame.index) : (frame.key ?? '')
    pointer += `/${segment.slice(0, pointerCharsMax).replaceAll('~', '~0').replaceAll('/', '~1')}`
  }
  return pointer
}

/** The frame has gone on since, but for pairs, which end where they are known. */
function pointerOfPending(walk: Walk, frame: Frame | undefined): string {
  if (frame !== undefined && !frame.isArray) frame.key = frame.pending?.key
  return pointerOf(walk)
}

interface Found {
  text: string
  matches: readonly Match[]
  pointer?: string
}

function pushAll(walk: Walk, token: JsonToken, found: Found): void {
  if (found.matches.length > 0) push(walk, token, { ...found, pointer: pointerOf(walk) })
}

/** Turns matches in a token's text into edits of the bytes. Replacements are escaped for the string they go into. */
function push(walk: Walk, place: { start: number; end: number }, found: Required<Found>): void {
  const { text, matches, pointer } = found
  const raw = walk.bytes.subarray(place.start, place.end)
  const isString = raw[0] === 0x22
  const offsets = !isString || isPlain(raw, text.length) ? undefined : jsonStringOffsets(raw, text.length)
  const shift = isString ? 1 : 0
  for (const match of matches)
    walk.edits.push({
      ...match,
      start: place.start + (offsets === undefined ? match.start + shift : (offsets[match.start] ?? 0)),
      end: place.start + (offsets === undefined ? match.end + shift : (offsets[match.end] ?? 0)),
      replacement: isString ? JSON.stringify(match.replacement).slice(1, -1) : match.replacement,
      removed: match.removed.map((removed) => ({ ...removed, path: pointer + removed.path })),
    })
}

/** The text with its matches replaced. */
export function splice(text: string, matches: readonly Match[]): string {
  const parts: string[] = []
  let at = 0
  for (const match of matches) {
    parts.push(text.slice(at, match.start), match.replacement)
    at = match.end
  }
  parts.push(text.slice(at))
  return parts.join('')
}

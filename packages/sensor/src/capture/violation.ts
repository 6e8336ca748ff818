import type { Draft, ServerRef, ViolationDetail } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText } from '@affidavit/evidence/record/text'
import type { CaptureContext } from './context.ts'
import { type CapturedLine, requestDirection } from './line.ts'
import { formOf, hasOddId } from './message.ts'

type Code = ViolationDetail['code']

/** The only revision that has batches. */
const batchVersion = '2025-03-26'
const excerptOfMax = 64 * 1024
const excerptBytesMax = 512

/** What is wrong with a line before anybody asks what it answers; each code once. */
export function violationsOf(line: CapturedLine, server: ServerRef): Code[] {
  const { scanned } = line
  const codes = new Set<Code>(line.violations)
  if (scanned.problem !== undefined) codes.add(scanned.problem)
  if (scanned.invalidUtf8) codes.add('invalid_utf8')
  if (line.ending === 'unterminated') codes.add('unterminated_line')
  const isEmptyBatch = scanned.shape === 'batch' && scanned.messages.length === 0
  if (scanned.shape === 'batch' && (isEmptyBatch || server.protocolVersion !== batchVersion)) codes.add('batch')
  for (const message of scanned.messages) {
    for (const flaw of message.flaws) codes.add(flaw)
    if (formOf(message) === 'other' || hasOddId(message)) codes.add('not_jsonrpc')
  }
  return [...codes]
}

export function draftViolation(line: CapturedLine, server: ServerRef, code: Code): Draft {
  const detail = { code, direction: requestDirection(line), bytes: line.scanned.bytes }
  return { kind: 'violation', server, detail, ...line.arrived }
}

/**
 * Section `input` of lines that are no JSON: mostly a server's own logging on stdout, which an excerpt tells. Redacted
 * before it is cut, so that a secret at the cut does not show by half; hence only for lines short enough to redact whole.
 */
export function describeUnreadable(context: CaptureContext, line: CapturedLine, code: Code): Sections {
  if (code !== 'not_json' || context.level === 'metadata') return {}
  if (line.bytes === undefined || line.bytes.length > excerptOfMax) return {}
  // Text of two bytes per character hides from every pattern what a reader of it would see.
  if (line.bytes.includes(0)) return {}
  const { text } = context.redactor.redactText(new TextDecoder().decode(line.bytes).trimEnd())
  return { input: Buffer.from(JSON.stringify(clipText(text, excerptBytesMax))) }
}

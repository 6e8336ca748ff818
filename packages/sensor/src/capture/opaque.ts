import type { Removal } from '../redact/removal.ts'
import type { CapturedLine } from './line.ts'
import type { ScannedMessage } from './message.ts'

const marker = Buffer.from('"[REDACTED:request-state]"')

/**
 * The bytes of a part of a message with every requestState taken out: the client gets it only to give it back, so it may
 * hold anything, a credential included. Not even a digest is kept. Undefined where the line is not in memory.
 */
export function withoutOpaque(
  line: CapturedLine,
  message: ScannedMessage,
  part: { start: number; end: number; path: string },
): { bytes: Uint8Array; removed: Removal[] } | undefined {
  if (line.bytes === undefined) return undefined
  const inside = message.opaque.filter((span) => span.start >= part.start && span.end <= part.end)
  if (inside.length === 0) return { bytes: line.bytes.subarray(part.start, part.end), removed: [] }
  const pieces: Uint8Array[] = []
  let at = part.start
  for (const { start, end } of inside) {
    pieces.push(line.bytes.subarray(at, start), marker)
    at = end
  }
  pieces.push(line.bytes.subarray(at, part.end))
  const removed = inside.map(({ start, end }) => ({ path: part.path, rule: 'request-state', bytes: end - start }))
  return { bytes: Buffer.concat(pieces), removed }
}

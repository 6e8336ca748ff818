import { createHash } from 'node:crypto'
import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import type { Removal } from '../redact/removal.ts'
import type { CaptureContext } from './context.ts'
import { elide, valueBytesMax } from './elide.ts'
import type { CapturedLine } from './line.ts'
import type { ScannedMessage, Span } from './message.ts'
import { withoutOpaque } from './opaque.ts'
import { shapeOf } from './shape.ts'

/** A value as a section holds it: JSON text, and what was removed from it. */
export interface Kept {
  text: Uint8Array
  removed: Removal[]
}

const nothing: Removal[] = []
const noInput: Kept = { text: Buffer.from('null'), removed: nothing }

/**
 * The section `input`: the redacted text of `params`, or `null` where the request has none. Synchronous wherever the
 * line is in memory, so that records are drafted in the order the requests came.
 */
export function keepInput(context: CaptureContext, line: CapturedLine, message: ScannedMessage): Kept | Promise<Kept> {
  const params = message.spans.get('params')
  if (params === undefined) return noInput
  const kept = keepPart(context, line, message, { ...params, path: '/requestState' })
  return kept ?? keepLarge(context, line, params)
}

/** A part of a message as its section holds it; undefined where the line is not in memory. */
export function keepPart(
  context: CaptureContext,
  line: CapturedLine,
  message: ScannedMessage,
  part: { start: number; end: number; path: string },
): Kept | undefined {
  const cut = withoutOpaque(line, message, part)
  if (cut === undefined) return undefined
  const { text, removed } = keepValue(context, line.scanned.invalidUtf8 ? replaceFaults(cut.bytes) : cut.bytes)
  return { text, removed: cut.removed.length === 0 ? removed : [...cut.removed, ...removed] }
}

/** Redacts, or says why there is nothing to show. */
function keepValue(context: CaptureContext, bytes: Uint8Array): Kept {
  if (bytes.length > valueBytesMax) {
    const digest = context.digest(createHash('sha256').update(bytes).digest())
    return { text: encodeCanonical(elide('too_large', bytes.length, { digest })), removed: nothing }
  }
  const { text, removed } = context.redactor.redactJson(bytes)
  if (context.level !== 'metadata') return { text, removed }
  // Of the redacted text, so that keys which hold secrets are not kept either.
  const shape = readShape(text)
  return { text: encodeCanonical({ $shape: shape, bytes: bytes.length }), removed }
}

function readShape(json: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(json))
    return shapeOf(value)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return 'unknown'
    throw error
  }
}

/** Sections hold JSON text, which is UTF-8: bytes that are not become U+FFFD. The record's `violation` tells of them. */
function replaceFaults(bytes: Uint8Array): Uint8Array {
  return Buffer.from(new TextDecoder().decode(bytes))
}

async function keepLarge(context: CaptureContext, line: CapturedLine, params: Span): Promise<Kept> {
  const bytes = params.end - params.start
  const hash = await line.hashSpan?.(params)
  const elision =
    hash === undefined ? elide('not_held', bytes) : elide('too_large', bytes, { digest: context.digest(hash) })
  return { text: encodeCanonical(elision), removed: nothing }
}

import { encodeShape, parseCanonical } from './canonical.ts'
import { hash, signature } from './digest.ts'
import type { Envelope } from './envelope.ts'
import { type Check, flaw, isObject, matchingPlain, object, oneOf, optional } from './shape.ts'
import { timestamp } from './timestamp.ts'
import { parseUsual, toUsual } from './usual.ts'

/** Every envelope that is valid field by field fits. */
export const envelopeBytesMax = 1_024

const fields = object({
  v: oneOf([1]),
  observedTime: timestamp,
  subject: optional(matchingPlain(/^s_[0-9a-f]{16}$/, 's_ and 16 hex digits')),
  credential: optional(matchingPlain(/^c_[0-9a-f]{16}$/, 'c_ and 16 hex digits')),
  enrichment: optional(hash),
  signature: optional(signature),
})

const usualEnvelopes = [toUsual(fields)]

export const envelopeShape: Check = (value) =>
  isObject(value) && value.v !== 1 ? flaw('bad_version', 'v', 'this reader knows version 1') : fields(value)

/** Reads an envelope line (without LF). Throws RecordError and nothing else, whatever the bytes are. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  return (parseUsual(bytes, usualEnvelopes) ?? parseCanonical(bytes, envelopeBytesMax, envelopeShape)) as Envelope
}

/** The envelope line (without LF) that parseEnvelope reads. Throws RecordError where it would refuse it. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return encodeShape(envelope, envelopeShape, envelopeBytesMax)
}

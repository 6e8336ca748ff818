import { encodeShape, parseCanonical } from './canonical.ts'
import type { Header } from './header.ts'
import { headerShape, usualHeaders } from './header-shape.ts'
import { parseUsual } from './usual.ts'

/** Every header that is valid field by field fits: at most six bytes per byte of the names in it. */
export const headerBytesMax = 16_384

/**
 * Reads a header line (without LF): canonical JSON of exactly the known fields. What it returns was checked in full and
 * encodes to the same bytes. Throws RecordError and nothing else, whatever the bytes are.
 */
export function parseHeader(bytes: Uint8Array): Header {
  return (parseUsual(bytes, usualHeaders) ?? parseCanonical(bytes, headerBytesMax, headerShape)) as Header
}

/** The header line (without LF) that parseHeader reads. Throws RecordError where it would refuse it. */
export function encodeHeader(header: Header): Uint8Array {
  return encodeShape(header, headerShape, headerBytesMax)
}

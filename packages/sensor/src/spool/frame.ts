import { crc32 } from '../durable/crc32.ts'

/**
 * A segment is a row of frames, each: length of type and payload (4 bytes, big-endian), their CRC-32 (4 bytes), type
 * (1 byte), payload. A length of zero ends the row; behind it there are only zeros.
 */

export const frameTypes = { preamble: 1, record: 2, commit: 3 } as const
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes]

/** Length and CRC. */
export const frameHeadBytes = 8
const typeBytes = 1
const lengthBytes = 4
const signatureBytes = 64
const hashBytes = 32

/** What a record's frame takes beside header and body. */
export const recordOverheadBytes = frameHeadBytes + typeBytes + lengthBytes
/** Payload of a commit: seq of the head, number of records durable before it, header hash, signature. */
const commitPayloadBytes = 8 + 8 + hashBytes + signatureBytes
/** A whole commit frame. */
export const commitFrameBytes = frameHeadBytes + typeBytes + commitPayloadBytes
/** What the length field of a commit frame says; a search for lost commits looks for it. */
export const commitLength = typeBytes + commitPayloadBytes

function putLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length >>> 24
  bytes[at + 1] = length >>> 16
  bytes[at + 2] = length >>> 8
  bytes[at + 3] = length
}

/** The payload stands in the frame; writes what is before it. */
function finishFrame(frame: Uint8Array, type: FrameType): void {
  frame[frameHeadBytes] = type
  putLength(frame, 0, frame.length - frameHeadBytes)
  putLength(frame, lengthBytes, crc32(frame.subarray(frameHeadBytes)))
}

export function encodePreambleFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(frameHeadBytes + typeBytes + payload.length)
  frame.set(payload, frameHeadBytes + typeBytes)
  finishFrame(frame, frameTypes.preamble)
  return frame
}

/**
 * Payload: length of the header (4 bytes), header, sealed body. The frame is as long as they are with recordOverheadBytes;
 * `writeBody` gets the body's place.
 */
export function writeRecordFrame(frame: Uint8Array, header: Uint8Array, writeBody: (body: Uint8Array) => void): void {
  putLength(frame, frameHeadBytes + typeBytes, header.length)
  frame.set(header, recordOverheadBytes)
  writeBody(frame.subarray(recordOverheadBytes + header.length))
  finishFrame(frame, frameTypes.record)
}

/** End of a group commit. */
export interface Commit {
  /** Of the last record before it. */
  seq: number
  /**
   * How many records of the stream were durable when this was written. After a crash that tells loss from damage: a break
   * before a record that some later commit knew to be durable is damage.
   */
  durableCount: number
  /** Header hash of that record, 32 bytes. */
  hash: Uint8Array
  /** Ed25519 over encodeCommitMessage, 64 bytes. */
  signature: Uint8Array
}

/** The frame is commitFrameBytes long. */
export function writeCommitFrame(frame: Uint8Array, commit: Commit): void {
  const payload = frame.subarray(frameHeadBytes + typeBytes)
  const view = new DataView(payload.buffer, payload.byteOffset)
  view.setBigUint64(0, BigInt(commit.seq))
  view.setBigUint64(8, BigInt(commit.durableCount))
  payload.set(commit.hash, 16)
  payload.set(commit.signature, 16 + hashBytes)
  finishFrame(frame, frameTypes.commit)
}

export interface Frame {
  type: FrameType
  payload: Uint8Array
  /** Bytes of the whole frame. */
  length: number
}

/** `more`: the bytes end inside the frame, which takes `length` bytes in all. `none`: zero length. `broken`: no frame. */
export type FrameResult =
  | { status: 'frame'; frame: Frame }
  | { status: 'more'; length: number }
  | { status: 'none' }
  | { status: 'broken'; why: string }

const toFrameType = (byte: number): FrameType | undefined => Object.values(frameTypes).find((type) => type === byte)

/** Reads the frame at the start of the bytes. `lengthMax` bounds what a broken length can make the caller read. */
export function decodeFrame(bytes: Uint8Array, lengthMax: number): FrameResult {
  if (bytes.length < frameHeadBytes) return { status: 'more', length: frameHeadBytes }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0)
  if (length === 0) return { status: 'none' }
  if (length > lengthMax) return { status: 'broken', why: `frame of ${length} bytes, at most ${lengthMax}` }
  const end = frameHeadBytes + length
  if (bytes.length < end) return { status: 'more', length: end }
  if (crc32(bytes.subarray(frameHeadBytes, end)) !== view.getUint32(4))
    return { status: 'broken', why: 'the checksum does not match' }
  const type = toFrameType(view.getUint8(frameHeadBytes))
  if (type === undefined) return { status: 'broken', why: `unknown frame type ${view.getUint8(frameHeadBytes)}` }
  return { status: 'frame', frame: { type, payload: bytes.subarray(frameHeadBytes + typeBytes, end), length: end } }
}

/** Splits a record's payload. undefined where its header would go beyond it. */
export function decodeRecord(payload: Uint8Array): { header: Uint8Array; body: Uint8Array } | undefined {
  if (payload.length < lengthBytes) return undefined
  const headerEnd = lengthBytes + new DataView(payload.buffer, payload.byteOffset).getUint32(0)
  if (headerEnd > payload.length) return undefined
  return { header: payload.subarray(lengthBytes, headerEnd), body: payload.subarray(headerEnd) }
}

/** undefined where it has another length, or a count that no stream reaches. */
export function decodeCommit(payload: Uint8Array): Commit | undefined {
  if (payload.length !== commitPayloadBytes) return undefined
  const view = new DataView(payload.buffer, payload.byteOffset)
  const seq = Number(view.getBigUint64(0))
  const durableCount = Number(view.getBigUint64(8))
  if (!Number.isSafeInteger(seq) || durableCount > seq) return undefined
  return { seq, durableCount, hash: payload.subarray(16, 48), signature: payload.subarray(48) }
}

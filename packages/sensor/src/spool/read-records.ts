import { RecordError } from '@affidavit/evidence/record/error'
import { hashHeader } from '@affidavit/evidence/record/hash'
import type { Header, StreamHead } from '@affidavit/evidence/record/header'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { sha256 } from '../crypto/node.ts'
import { isSigned, toHash } from './commit.ts'
import { type Commit, decodeRecord } from './frame.ts'
import type { Preamble } from './preamble.ts'

export interface SegmentRecord {
  header: Header
  /** As written. */
  headerBytes: Uint8Array
  /** Header hash, 32 bytes. */
  hash: Uint8Array
  /** Sealed; empty where the record has no sections. */
  body: Uint8Array
}

/** Why bytes with a right checksum are still no part of this stream. No crash does that. */
export class Misfit extends Error {
  override readonly name = 'Misfit'
}

/**
 * Reads a record that must follow `head` in the stream. Throws Misfit. Without a head in a later segment (the ones before
 * it were acknowledged and deleted) the first record says itself what it follows; the collector knows whether that is so.
 */
export function readRecord(payload: Uint8Array, preamble: Preamble, head: StreamHead | null): SegmentRecord {
  const parts = decodeRecord(payload)
  if (parts === undefined) throw new Misfit('the record frame is shorter than its header')
  const header = readHeader(parts.header)
  if (header.streamId !== preamble.streamId) throw new Misfit(`the record belongs to stream ${header.streamId}`)
  const isFirstOfLater = head === null && preamble.segment > 1
  const seq = head === null ? 0 : head.seq + 1
  if (isFirstOfLater) return { header, ...toRecord(parts) }
  if (header.seq !== seq) throw new Misfit(`the record is seq ${header.seq}, expected ${seq}`)
  if (header.prev !== head?.hash) throw new Misfit(`record ${seq} does not name the hash of the one before it`)
  if (seq === 0) verifyOpening(header, preamble)
  return { header, ...toRecord(parts) }
}

function toRecord({ header, body }: { header: Uint8Array; body: Uint8Array }): Omit<SegmentRecord, 'header'> {
  return { headerBytes: header, hash: hashHeader(sha256, header), body }
}

function readHeader(bytes: Uint8Array): Header {
  try {
    return parseHeader(bytes)
  } catch (error) {
    if (error instanceof RecordError) throw new Misfit(`the header is malformed: ${error.message}`)
    throw error
  }
}

/** The record that goes into the log and the preamble that does not must name the same sensor. */
function verifyOpening(header: Header, preamble: Preamble): void {
  if (header.kind !== 'stream' || header.detail.event !== 'opened')
    throw new Misfit('the stream does not begin with its opening record')
  const { sensorKey, sensorId } = header.detail
  if (sensorKey !== toHash(preamble.sensorKey) || sensorId !== preamble.sensorId)
    throw new Misfit('opening record and preamble name different sensors')
  if (sensorId !== Buffer.from(sha256(preamble.sensorKey)).toString('hex', 0, 8))
    throw new Misfit('the sensor id does not follow from its key')
}

/** The commit must end exactly the records before it, and be signed. Throws Misfit. */
export function verifyCommit(commit: Commit, records: SegmentRecord[], preamble: Preamble): StreamHead {
  const first = records[0]
  const last = records.at(-1)
  if (first === undefined || last === undefined) throw new Misfit('a commit without records')
  if (commit.seq !== last.header.seq || toHash(commit.hash) !== toHash(last.hash))
    throw new Misfit(`the commit is for seq ${commit.seq}, or for another record than the one before it`)
  if (commit.durableCount > first.header.seq)
    throw new Misfit(`the commit knew of ${commit.durableCount} durable records before record ${first.header.seq}`)
  if (!isSigned(preamble.streamId, commit, preamble.sensorKey))
    throw new Misfit(`the signature of the commit at seq ${commit.seq} does not match`)
  return { streamId: preamble.streamId, seq: commit.seq, hash: toHash(commit.hash) }
}

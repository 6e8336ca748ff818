import type { KeyObject } from 'node:crypto'
import { encodeCommitMessage } from '@affidavit/evidence/record/hash'
import type { StreamHead } from '@affidavit/evidence/record/header'
import { signEd25519, verifyEd25519 } from '../crypto/node.ts'
import { type Commit, commitFrameBytes, writeCommitFrame } from './frame.ts'
import type { PreparedRecord } from './prepare.ts'

/** Hash in headers, heads and claims: base64 of the 32 bytes. */
export const toHash = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** Inverse of toHash. */
export function fromHash(hash: string): Uint8Array {
  const bytes = Buffer.from(hash, 'base64')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * The bytes of a group commit: the frames of its records, sealed here, and the signed commit that ends it at this head, with
 * how many records were durable before. All in one piece: a record's bytes are written once.
 */
export function encodeGroup(
  records: readonly PreparedRecord[],
  commit: { head: StreamHead; durableCount: number },
  privateKey: KeyObject,
): Uint8Array {
  const { head, durableCount } = commit
  const length = records.reduce((sum, { frameBytes }) => sum + frameBytes, commitFrameBytes)
  const group = Buffer.allocUnsafe(length)
  let at = 0
  for (const record of records) {
    record.write(group.subarray(at, at + record.frameBytes))
    at += record.frameBytes
  }
  const signature = signEd25519(privateKey, encodeCommitMessage(head))
  writeCommitFrame(group.subarray(at), {
    seq: head.seq,
    durableCount,
    hash: fromHash(head.hash),
    signature,
  })
  return group
}

/** Whether the sensor signed exactly this head. */
export function isSigned(streamId: string, commit: Commit, sensorKey: Uint8Array): boolean {
  const message = encodeCommitMessage({ streamId, seq: commit.seq, hash: toHash(commit.hash) })
  return verifyEd25519(sensorKey, message, commit.signature)
}

import type { KeyObject } from 'node:crypto'
import { encodeCommitMessage } from '@affidavit/evidence/record/hash'
import type { StreamHead } from '@affidavit/evidence/record/header'
import { signEd25519, verifyEd25519 } from '../crypto/node.ts'
import { type Commit, encodeCommitFrame } from './frame.ts'

/** Hash in headers, heads and claims: base64 of the 32 bytes. */
export const toHash = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** The frame that ends a group commit at this head. */
export function encodeSignedCommit(head: StreamHead, durableCount: number, privateKey: KeyObject): Uint8Array {
  const signature = signEd25519(privateKey, encodeCommitMessage(head))
  return encodeCommitFrame({ seq: head.seq, durableCount, hash: Buffer.from(head.hash, 'base64'), signature })
}

/** Whether the sensor signed exactly this head. */
export function isSigned(streamId: string, commit: Commit, sensorKey: Uint8Array): boolean {
  const message = encodeCommitMessage({ streamId, seq: commit.seq, hash: toHash(commit.hash) })
  return verifyEd25519(sensorKey, message, commit.signature)
}

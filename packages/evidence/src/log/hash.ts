import { toBase64 } from './base64.ts'
import { VerifyError } from './error.ts'

/** SHA-256 over the concatenation of the parts; 32 bytes. Passed in, so that this package runs in browsers too. */
export type Sha256 = (...parts: Uint8Array[]) => Uint8Array

/** Length of every hash in a tree. */
export const hashBytes = 32

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** MTH({d}) = SHA-256(0x00 ‖ d), RFC 9162 §2.1.1. */
export function hashLeaf(sha256: Sha256, entry: Uint8Array): Uint8Array {
  return sha256(leafPrefix, entry)
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 9162 §2.1.1. Both children are 32 bytes; the caller has checked what it read. */
export function hashNode(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right)
}

/** MTH({}) = SHA-256(), RFC 9162 §2.1.1. */
export function hashEmptyTree(sha256: Sha256): Uint8Array {
  return sha256()
}

/** Any other length would let two trees share a root: the node's 64 bytes split in one place only because of this check. */
export function requireHash(hash: Uint8Array, what: string): Uint8Array {
  if (hash.length === hashBytes) return hash
  throw new VerifyError('bad_hash_length', `${what} has ${hash.length} bytes, a hash has ${hashBytes}`, { what })
}

/** Byte equality. Not constant in time: nothing compared here is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Throws VerifyError `root_mismatch` that carries both hashes. */
export function requireEqual(computed: Uint8Array, expected: Uint8Array, what: string): void {
  if (equalBytes(computed, expected)) return
  const evidence = { computed: toBase64(computed), expected: toBase64(expected) }
  throw new VerifyError('root_mismatch', `${what}: computed and expected hash differ`, evidence)
}

import { sizeMax } from './decimal.ts'
import { VerifyError } from './error.ts'
import { hashNode, requireEqual, requireHash, type Sha256 } from './hash.ts'

export interface Inclusion {
  readonly index: bigint
  readonly size: bigint
  readonly leafHash: Uint8Array
  /** From the leaf's sibling up to the root's child. */
  readonly proof: readonly Uint8Array[]
}

export interface Consistency {
  readonly oldSize: bigint
  readonly size: bigint
  readonly oldRoot: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** RFC 9162 §2.1.3.2. Throws VerifyError: `bad_index`, `bad_size`, `bad_hash_length`, `bad_proof_length`, `root_mismatch`. */
export function verifyInclusion(sha256: Sha256, inclusion: Inclusion, root: Uint8Array): void {
  requireHash(root, 'root')
  requireEqual(rootFromInclusion(sha256, inclusion), root, `entry ${inclusion.index} in size ${inclusion.size}`)
}

/** Root that this leaf and proof lead to. It proves something only once it equals a root that was signed. */
export function rootFromInclusion(sha256: Sha256, { index, size, leafHash, proof }: Inclusion): Uint8Array {
  requireSize(size)
  if (index < 0n || index >= size)
    throw new VerifyError('bad_index', `no entry ${index} in a tree of size ${size}`, { index: `${index}` })
  let hash = requireHash(leafHash, 'leaf hash')
  const walk = { fn: index, sn: size - 1n }
  for (const sibling of proof) {
    requireHash(sibling, 'proof hash')
    if (walk.sn === 0n) throw badLength(proof, 'too long')
    if (isRight(walk)) {
      hash = hashNode(sha256, sibling, hash)
      skipMissing(walk)
    } else hash = hashNode(sha256, hash, sibling)
    climb(walk)
  }
  if (walk.sn !== 0n) throw badLength(proof, 'too short')
  return hash
}

/**
 * RFC 9162 §2.1.4.2. Refuses size 0 (`empty_tree`): every tree extends the empty one, so nothing would be proven. Throws
 * VerifyError: `empty_tree`, `bad_size`, `bad_hash_length`, `bad_proof_length`, `root_mismatch`.
 */
export function verifyConsistency(sha256: Sha256, { oldSize, size, oldRoot, root, proof }: Consistency): void {
  requireSize(size)
  if (oldSize === 0n) throw new VerifyError('empty_tree', 'consistency with an empty tree proves nothing')
  if (oldSize < 0n || oldSize > size)
    throw new VerifyError('bad_size', `a tree of size ${size} cannot extend one of ${oldSize}`)
  for (const hash of [oldRoot, root, ...proof]) requireHash(hash, 'root or proof hash')
  if (oldSize === size) {
    if (proof.length > 0) throw badLength(proof, 'equal sizes have an empty proof')
    requireEqual(oldRoot, root, `two roots of size ${size}`)
    return
  }
  const isPower = (oldSize & (oldSize - 1n)) === 0n
  const [seed, ...rest] = isPower ? [oldRoot, ...proof] : proof
  if (seed === undefined || proof.length === 0) throw badLength(proof, 'empty')
  const { oldHash, newHash } = climbBoth(sha256, { oldSize, size, seed, rest })
  requireEqual(oldHash, oldRoot, `old root of size ${oldSize}`)
  requireEqual(newHash, root, `root of size ${size}`)
}

interface Climb {
  oldSize: bigint
  size: bigint
  seed: Uint8Array
  rest: readonly Uint8Array[]
}

function climbBoth(sha256: Sha256, { oldSize, size, seed, rest }: Climb): { oldHash: Uint8Array; newHash: Uint8Array } {
  const walk = { fn: oldSize - 1n, sn: size - 1n }
  while ((walk.fn & 1n) === 1n) climb(walk)
  let oldHash = seed
  let newHash = seed
  for (const sibling of rest) {
    if (walk.sn === 0n) throw badLength(rest, 'too long')
    if (isRight(walk)) {
      oldHash = hashNode(sha256, sibling, oldHash)
      newHash = hashNode(sha256, sibling, newHash)
      skipMissing(walk)
    } else newHash = hashNode(sha256, newHash, sibling)
    climb(walk)
  }
  if (walk.sn !== 0n) throw badLength(rest, 'too short')
  return { oldHash, newHash }
}

/** Node number and last node number on the current level; names as in the RFC. */
interface Walk {
  fn: bigint
  sn: bigint
}

function isRight({ fn, sn }: Walk): boolean {
  return (fn & 1n) === 1n || fn === sn
}

/** The last node of a level may have no sibling there: it moves up until it is a right child. */
function skipMissing(walk: Walk): void {
  if ((walk.fn & 1n) === 1n) return
  while (walk.fn !== 0n && (walk.fn & 1n) === 0n) climb(walk)
}

function climb(walk: Walk): void {
  walk.fn >>= 1n
  walk.sn >>= 1n
}

function requireSize(size: bigint): void {
  if (size < 0n || size > sizeMax) throw new VerifyError('bad_size', `${size} is no tree size`, { size: `${size}` })
}

function badLength(proof: readonly Uint8Array[], why: string): VerifyError {
  return new VerifyError('bad_proof_length', `proof of ${proof.length} hashes: ${why}`, {
    hashes: String(proof.length),
  })
}

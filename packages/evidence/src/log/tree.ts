import { VerifyError } from './error.ts'
import { hashEmptyTree, hashNode, requireHash, type Sha256 } from './hash.ts'

/** Levels of the tree that one level of tiles spans (tlog-tiles). */
export const tileHeight = 8

/**
 * What an append needs of a tree: the roots of its perfect subtrees, the largest first, one per set bit of the size.
 * At most 53 hashes. Sizes are numbers up to 2^53 − 1 here: whoever builds a tree counts its entries.
 */
export interface CompactRange {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

export const emptyRange: CompactRange = { size: 0, hashes: [] }

export interface Growth {
  readonly range: CompactRange
  readonly root: Uint8Array
  /**
   * New hashes by tile level, in order: levels[0] are the leaves, levels[k] the hash of every subtree of 256^k leaves
   * that this growth completed. levels[k][0] has the index floor(old size / 256^k) on its level.
   */
  readonly levels: readonly (readonly Uint8Array[])[]
}

/** Appends leaf hashes (hashLeaf), RFC 9162 §2.1.1. Neither argument changes. Throws VerifyError `bad_hash_length`. */
export function appendLeaves(sha256: Sha256, range: CompactRange, leafHashes: readonly Uint8Array[]): Growth {
  const hashes = [...range.hashes]
  const levels: Uint8Array[][] = [[]]
  let size = range.size
  for (const leaf of leafHashes) appendLeaf(sha256, { hashes, levels, size: size++ }, leaf)
  const grown = { size, hashes }
  return { range: grown, root: rootOfRange(sha256, grown), levels }
}

interface Growing {
  hashes: Uint8Array[]
  levels: Uint8Array[][]
  size: number
}

function appendLeaf(sha256: Sha256, { hashes, levels, size }: Growing, leaf: Uint8Array): void {
  let hash = requireHash(leaf, 'leaf')
  let height = 0
  emit(levels, height, hash)
  // Every trailing one bit of the old size is a perfect subtree that the new leaf completes to one twice as large.
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = hashes.pop()
    if (left === undefined) throw new VerifyError('bad_size', `range of size ${size} lacks hashes`)
    hash = hashNode(sha256, left, hash)
    height += 1
    emit(levels, height, hash)
  }
  hashes.push(hash)
}

function emit(levels: Uint8Array[][], height: number, hash: Uint8Array): void {
  if (height % tileHeight !== 0) return
  const level = height / tileHeight
  const hashes = levels[level]
  if (hashes === undefined) levels[level] = [hash]
  else hashes.push(hash)
}

/** Root hash of the tree a range stands for; of the empty tree SHA-256 of nothing. */
export function rootOfRange(sha256: Sha256, range: CompactRange): Uint8Array {
  return range.size === 0 ? hashEmptyTree(sha256) : joinSubtrees(sha256, range.hashes)
}

/** Hash over neighbouring subtrees of falling size, as RFC 9162 §2.1.1 joins them. At least one. */
export function joinSubtrees(sha256: Sha256, hashes: readonly Uint8Array[]): Uint8Array {
  const last = hashes.at(-1)
  if (last === undefined) throw new VerifyError('bad_size', 'nothing to join')
  return hashes.slice(0, -1).reduceRight((right, left) => hashNode(sha256, left, right), last)
}

/** Number of hashes a range of this size has. */
export function countPerfectSubtrees(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/** Range from stored state. Throws VerifyError `bad_size` or `bad_hash_length` where it cannot be one. */
export function toRange(size: number, hashes: readonly Uint8Array[]): CompactRange {
  if (!Number.isSafeInteger(size) || size < 0) throw new VerifyError('bad_size', `${size} is no tree size`)
  if (hashes.length !== countPerfectSubtrees(size))
    throw new VerifyError('bad_size', `a range of size ${size} has ${countPerfectSubtrees(size)} hashes`)
  return { size, hashes: hashes.map((hash) => requireHash(hash, 'range')) }
}

import { sha256 } from './shared.ts'

/** RFC 9162 §2.1 word for word: recursive, whole trees, no tiles. What the real code is compared with. */

const k = (n: number) => {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}

export const leaf = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry)
const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right)

/** MTH over leaf hashes. */
export function root(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return sha256()
  if (leaves.length === 1) return only
  const split = k(leaves.length)
  return node(root(leaves.slice(0, split)), root(leaves.slice(split)))
}

/** PATH(m, D_n). */
export function path(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return []
  const split = k(leaves.length)
  return m < split
    ? [...path(m, leaves.slice(0, split)), root(leaves.slice(split))]
    : [...path(m - split, leaves.slice(split)), root(leaves.slice(0, split))]
}

/** SUBPROOF(m, D_n, b). */
export function subproof(m: number, leaves: readonly Uint8Array[], start: 'whole' | 'part' = 'whole'): Uint8Array[] {
  if (m === leaves.length) return start === 'whole' ? [] : [root(leaves)]
  const split = k(leaves.length)
  return m <= split
    ? [...subproof(m, leaves.slice(0, split), start), root(leaves.slice(split))]
    : [...subproof(m - split, leaves.slice(split), 'part'), root(leaves.slice(0, split))]
}

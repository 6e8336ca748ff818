/** Beyond this many comparisons lines are not matched any more: all old ones are gone, all new ones are new. */
const comparisonsMax = 1_000_000

/** What a longest common subsequence leaves over, in order: `- ` and a line that is gone, `+ ` and one that is new. */
export function diffLines(before: readonly string[], after: readonly string[]): string[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [endBefore, endAfter] = [before.length, after.length]
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--
    endAfter--
  }
  return diffMiddle(before.slice(start, endBefore), after.slice(start, endAfter))
}

const gone = (line: string) => `- ${line}`
const added = (line: string) => `+ ${line}`

function diffMiddle(before: readonly string[], after: readonly string[]): string[] {
  if (before.length * after.length > comparisonsMax) return [...before.map(gone), ...after.map(added)]
  const lengths = sharedLengths(before, after)
  const width = after.length + 1
  const diff: string[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]]
    if (old !== undefined && old === now) {
      i++
      j++
    } else if (
      now === undefined ||
      (old !== undefined && at(lengths, (i + 1) * width + j) >= at(lengths, i * width + j + 1))
    ) {
      diff.push(gone(old ?? ''))
      i++
    } else {
      diff.push(added(now))
      j++
    }
  }
  return diff
}

/** At (i, j): how many lines the rests from i and from j on have in common, in order. */
function sharedLengths(before: readonly string[], after: readonly string[]): Uint32Array {
  const width = after.length + 1
  const lengths = new Uint32Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        before[i] === after[j]
          ? at(lengths, (i + 1) * width + j + 1) + 1
          : Math.max(at(lengths, (i + 1) * width + j), at(lengths, i * width + j + 1))
  return lengths
}

const at = (lengths: Uint32Array, place: number) => lengths[place] ?? 0

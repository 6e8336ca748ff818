/** A line of a unified diff. */
export interface DiffLine {
  sign: ' ' | '-' | '+'
  text: string
}

/** Beyond this many pairs of lines everything is shown as removed and added: entries are short, files may be hostile. */
const pairsMax = 4_000_000

/** The shortest way from one list of lines to the other, removals before additions. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const remove = (text: string): DiffLine => ({ sign: '-', text })
  const add = (text: string): DiffLine => ({ sign: '+', text })
  if (before.length * after.length > pairsMax) return [...before.map(remove), ...after.map(add)]
  const kept = sharedLengths(before, after)
  const lines: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]]
    if (old !== undefined && old === now) {
      lines.push({ sign: ' ', text: old })
      i++
      j++
    } else if (old !== undefined && (now === undefined || at(kept, i + 1, j) >= at(kept, i, j + 1))) {
      lines.push(remove(old))
      i++
    } else if (now !== undefined) {
      lines.push(add(now))
      j++
    }
  }
  return lines
}

/** Only what changed, with so many lines around it. */
export function trimContext(lines: readonly DiffLine[], around: number): { skipped: number; lines: DiffLine[] } {
  const first = lines.findIndex(({ sign }) => sign !== ' ')
  if (first < 0) return { skipped: 0, lines: [] }
  const last = lines.findLastIndex(({ sign }) => sign !== ' ')
  const from = Math.max(0, first - around)
  return { skipped: from, lines: lines.slice(from, last + 1 + around) }
}

/** For every pair of beginnings the length of the longest common subsequence of what follows. */
function sharedLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = lengths[i]
      if (row === undefined) continue
      row[j] =
        before[i] === after[j] ? at(lengths, i + 1, j + 1) + 1 : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1))
    }
  }
  return lengths
}

function at(lengths: readonly number[][], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0
}

/**
 * `Did you mean 'verify'? ` where one of the known words is near to what was typed, else the empty text. Repeats nothing of
 * what was typed, for it may be anything. Of three letters one may be wrong, of six two.
 */
export function suggestNear(typed: string, known: readonly string[]): string {
  for (const edits of [1, 2]) {
    const near = known.find((word) => edits * 3 <= lettersIn(typed, word) && isWithin(edits, typed, word))
    if (near !== undefined) return `Did you mean '${near}'? `
  }
  return ''
}

/** The same for an option, of names without their dashes. */
export function suggestOption(typed: string, names: readonly string[]): string {
  return suggestNear(
    typed,
    names.map((name) => `--${name}`),
  )
}

/** Dashes are no letters: `--up` is as short as `up`. */
function lettersIn(typed: string, word: string): number {
  return Math.max(typed.length, word.length) - (/^-*/.exec(word)?.[0].length ?? 0)
}

/** Whether so many letters at most were left out, added, mistaken, or swapped with their neighbour. */
function isWithin(edits: number, typed: string, word: string): boolean {
  let same = 0
  while (same < typed.length && typed[same] === word[same]) same++
  const [a, b] = [typed.slice(same), word.slice(same)]
  if (a === b) return true
  if (edits === 0) return false
  const isSwapped = a.length > 1 && a[0] === b[1] && a[1] === b[0]
  return (
    isWithin(edits - 1, a.slice(1), b.slice(1)) ||
    isWithin(edits - 1, a.slice(1), b) ||
    isWithin(edits - 1, a, b.slice(1)) ||
    (isSwapped && isWithin(edits - 1, a.slice(2), b.slice(2)))
  )
}

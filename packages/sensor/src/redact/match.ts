import { markerOf } from './marker.ts'
import type { Match, RuleClass } from './rule.ts'

/** A match that removes exactly the text it found. `plain` is the secret itself where `value` encodes it. */
export function matchOf(
  rule: string,
  ruleClass: RuleClass,
  found: { value: string; start: number; plain?: string },
): Match {
  const { value, start, plain = value } = found
  return {
    start,
    end: start + value.length,
    rule,
    class: ruleClass,
    removed: [{ rule, class: ruleClass, value: plain, path: '' }],
    replacement: markerOf(rule),
  }
}

/**
 * Joins matches that overlap into one removal, so that no part of either stays: the longest names the marker, and a match
 * wholly inside another is listed under the other's name alone. Sorted, disjoint.
 */
export function mergeMatches(matches: readonly Match[]): Match[] {
  if (matches.length < 2) return [...matches]
  const sorted = [...matches].sort((a, b) => a.start - b.start || b.end - a.end)
  const merged: Match[] = []
  for (const match of sorted) {
    const last = merged.at(-1)
    if (last === undefined || match.start >= last.end) merged.push(match)
    else if (match.end > last.end) merged[merged.length - 1] = join(last, match)
  }
  return merged
}

function join(a: Match, b: Match): Match {
  const longest = b.end - b.start > a.end - a.start ? b : a
  return { ...longest, start: a.start, end: b.end, removed: [...a.removed, ...b.removed] }
}

import { matchAssignments } from './assignments.ts'
import { encodedRuns } from './base64.ts'
import { matchCurlUser } from './curl-user.ts'
import { matchKubernetesSecrets } from './kubernetes.ts'
import { besideMarkers, isMarker, markerOf, markerStart } from './marker.ts'
import { matchOf, mergeMatches } from './match.ts'
import { matchNameValuePairs } from './name-value-pairs.ts'
import { matchPersonal } from './personal.ts'
import { matchPrefixes } from './prefixes.ts'
import { matchPrivateKeys } from './private-keys.ts'
import type { Match, RuleClass } from './rule.ts'
import { anchoredRules } from './rules/anchored.ts'
import type { UserRule } from './user-rule.ts'
import { entityView, escapeView, percentView, type View } from './views.ts'

/** What one redaction works with. */
export interface Scan {
  enabled: ReadonlySet<RuleClass>
  disabledRules: ReadonlySet<string>
  userRules: readonly UserRule[]
  /** Secrets found elsewhere in the same input, with the rule that found them: they go wherever they stand. */
  known: ReadonlyMap<string, string>
  /** Units that may still be looked at; bounds what nested encodings can cost. */
  work: { left: number }
  /** On the clock of performance.now(). After it strings go as a whole. */
  deadline: number
  /** Names in which nothing was found, by depth, because the same few stand in every row and in every call. */
  cleanNames: Set<string>[]
  /** Redacts a string that is JSON itself; undefined where it is not. */
  scanNested: (text: string, scan: Scan, depth: number) => Match[] | undefined
}

/** Encodings within encodings that are undone. */
export const depthMax = 8

/** Everything to remove from a decoded string: disjoint, in order. Beyond the work limit the string goes as a whole. */
export function scanString(text: string, scan: Scan, depth: number): Match[] {
  if (text.length < 3 || isMarker(text)) return []
  scan.work.left -= text.length
  if (scan.work.left < 0) return [matchOf('too-nested', 'secret', { value: text, start: 0 })]
  if (scan.deadline < Number.POSITIVE_INFINITY && performance.now() > scan.deadline)
    return [matchOf('too-slow', 'secret', { value: text, start: 0 })]
  if (isWord(text)) return scanWord(text, scan)
  if (depth < depthMax && /^\s{0,64}[[{"]/.test(text)) {
    const nested = scan.scanNested(text, scan, depth + 1)
    if (nested !== undefined) return mergeMatches(nested)
  }
  const matches = scanDirect(text, scan)
  if (depth < depthMax) matches.push(...scanEncoded(text, scan, depth))
  return mergeMatches(text.includes(markerStart) ? besideMarkers(text, matches) : matches)
}

/** Most strings: too short for base64, and without the signs that every other format has. */
function isWord(text: string): boolean {
  return text.length < wordCharsMax && /^[\w.+ -]*$/.test(text) && !/ (?:is|was|-)|^-/i.test(text)
}
const wordCharsMax = 16

function scanWord(text: string, scan: Scan): Match[] {
  const matches: Match[] = []
  const onMatch = collector(matches, scan)
  if (scan.enabled.has('secret')) {
    matchPrefixes(text, onMatch)
    matchKnown(text, scan.known, onMatch)
  }
  matchPersonal(text, scan.enabled, onMatch)
  matchUserRules(text, scan, onMatch)
  return mergeMatches(matches)
}

function collector(matches: Match[], scan: Scan): (match: Match) => void {
  return (match) => {
    if (!scan.disabledRules.has(match.rule) && scan.enabled.has(match.class)) matches.push(match)
  }
}

function scanDirect(text: string, scan: Scan): Match[] {
  const matches: Match[] = []
  const onMatch = collector(matches, scan)
  if (scan.enabled.has('secret')) {
    matchPrefixes(text, onMatch)
    matchAnchored(text, onMatch)
    matchPrivateKeys(text, onMatch)
    matchNamed(text, onMatch)
    if (text.includes('curl')) matchCurlUser(text, onMatch)
    if (text.includes('kind')) matchKubernetesSecrets(text, onMatch)
    matchKnown(text, scan.known, onMatch)
  }
  matchPersonal(text, scan.enabled, onMatch)
  matchUserRules(text, scan, onMatch)
  return matches
}

function matchUserRules(text: string, scan: Scan, onMatch: (match: Match) => void): void {
  for (const rule of scan.userRules)
    for (const { start, end } of rule.find(text))
      onMatch(matchOf(rule.id, rule.class, { value: text.slice(start, end), start }))
}

/** One look for all anchors tells which rules have to run. */
const anyAnchor = new RegExp(
  [...new Set(anchoredRules.flatMap(({ needs }) => needs))]
    .map((need) => need.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|'),
)
const everyAnchor = new RegExp(anyAnchor, 'g')

/** Without one of these nothing is assigned. */
const joint =
  /[=:>|(]|(?:^|[\s"'`[(,])-|[ \t](?:is|was)[ \t:]|["'`],|<-|\b(?:define|set|setenv|putenv|ENV|ARG|SET)[ \t]/

function matchNamed(text: string, onMatch: (match: Match) => void): void {
  if (!joint.test(text)) return
  matchAssignments(text, onMatch)
  if (/value|content/i.test(text)) matchNameValuePairs(text, onMatch)
}

function anchorsIn(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const found of text.matchAll(everyAnchor)) anchors.add(found[0])
  return anchors
}

function matchAnchored(text: string, onMatch: (match: Match) => void): void {
  if (!anyAnchor.test(text)) return
  const anchors = anchorsIn(text)
  for (const rule of anchoredRules) {
    if (!rule.needs.some((need) => anchors.has(need))) continue
    for (const found of text.matchAll(rule.pattern)) {
      const value = found.groups?.v ?? found[0]
      const start = found.groups?.v === undefined ? found.index : found.index + found[0].lastIndexOf(value)
      if (rule.accept !== undefined && !rule.accept(value)) continue
      onMatch(matchOf(rule.id, rule.class, { value, start, plain: rule.plain?.(value) ?? value }))
    }
  }
}

function matchKnown(text: string, known: ReadonlyMap<string, string>, onMatch: (match: Match) => void): void {
  for (const [value, rule] of known)
    for (let start = text.indexOf(value); start >= 0; start = text.indexOf(value, start + value.length))
      onMatch(matchOf(rule, 'secret', { value, start }))
}

/** Without one of these none of the views differs from the text. */
const encodingSigns = /[%\\&]/

function scanEncoded(text: string, scan: Scan, depth: number): Match[] {
  const matches: Match[] = []
  const views = encodingSigns.test(text) ? [percentView(text), escapeView(text), entityView(text)] : []
  for (const view of views)
    if (view !== undefined)
      for (const match of scanString(view.text, scan, depth + 1)) matches.push(mapBack(match, view))
  for (const run of encodedRuns(text)) {
    const inner = scanString(run.text, scan, depth + 1)
    const [first] = inner
    if (first === undefined) continue
    const removed = inner.flatMap((match) => match.removed)
    matches.push({ ...first, start: run.start, end: run.end, removed, replacement: markerOf(first.rule) })
  }
  return matches
}

function mapBack(match: Match, view: View): Match {
  return { ...match, start: view.offsets[match.start] ?? 0, end: view.offsets[match.end] ?? 0 }
}

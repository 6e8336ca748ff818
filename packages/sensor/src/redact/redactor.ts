import { createDigest } from './digest.ts'
import { markerOf } from './marker.ts'
import type { Removal } from './removal.ts'
import { classDefaults, type Match, type RuleClass, ruleClasses } from './rule.ts'
import { type Scan, scanString } from './scan-string.ts'
import type { UserRule } from './user-rule.ts'
import { scanNestedJson, splice, walkJson } from './walk-json.ts'

/** What `loadPatterns` makes of a user's YAML. */
export interface CompiledPatterns {
  classes: Partial<Record<RuleClass, boolean>>
  disabledRules: ReadonlySet<string>
  rules: readonly UserRule[]
}

export interface RedactorOptions {
  /** 32 bytes: the tenant's correlation key of the epoch. */
  correlationKey: Uint8Array
  patterns?: CompiledPatterns
  /** Longer input becomes one marker. Default 4 MiB. */
  bytesMax?: number
}

export interface Redactor {
  /**
   * Text spliced from the original bytes: outside the removals every byte is the same, and valid JSON stays valid JSON.
   * What is not JSON is redacted as plain text. Never throws.
   */
  redactJson(text: Uint8Array): { text: Uint8Array; removed: Removal[] }
  redactText(text: string): { text: string; removed: Removal[] }
}

const bytesMaxDefault = 4 * 1024 * 1024
/** How often a unit may be looked at, over all encodings and passes; ordinary input needs two to four. */
const workPerUnit = 12
const workMin = 100_000
/** Users' patterns are linear, but slower by an order of magnitude; what they cannot do in this time goes unseen and as a whole. */
const userRulesTimeMaxMs = 2_000
const removalsMax = 1_000
const knownMax = 64

/** Removes what the default rules and the user's patterns match. Keeps nothing of a call but names that are clean. */
export function createRedactor(options: RedactorOptions): Redactor {
  const digestOf = createDigest(options.correlationKey)
  const bytesMax = options.bytesMax ?? bytesMaxDefault
  const settings = settingsOf(options.patterns)
  const list = (matches: readonly Match[]) => listRemovals(matches, digestOf)

  return {
    redactText(text) {
      if (text.length > bytesMax) return elide(text.length, 'too-large')
      const done = untilNothingIsLeft(text, {
        find: (now) => redactTwice(now.length, settings, (scan) => scanString(now, scan, 0)),
        replace: splice,
      })
      return done === undefined
        ? elide(text.length, 'detector-failed')
        : { text: done.text, removed: list(done.matches) }
    },
    redactJson(text) {
      if (isShortNumber(text) && settings.userRules.length === 0) return { text, removed: [] }
      const bytes = Buffer.from(text.buffer, text.byteOffset, text.length)
      if (bytes.length > bytesMax) return elideJson(bytes.length, 'too-large')
      const done = untilNothingIsLeft(bytes, {
        find: (now) => redactTwice(now.length, settings, (scan) => walkJson(now, scan, 0) ?? walkPlain(now, scan)),
        replace: spliceBytes,
      })
      if (done === undefined) return elideJson(bytes.length, 'detector-failed')
      return { text: done.text, removed: list(done.matches) }
    },
  }
}

/** A marker parts what was one word before, so that a rule may match beside it; the third round never found anything yet. */
const roundsMax = 4

function untilNothingIsLeft<T>(
  text: T,
  by: { find: (text: T) => Match[] | undefined; replace: (text: T, matches: readonly Match[]) => T },
): { text: T; matches: Match[] } | undefined {
  const all: Match[] = []
  let now = text
  for (let round = 0; round < roundsMax; round++) {
    const matches = by.find(now)
    if (matches === undefined) return undefined
    if (matches.length === 0) break
    all.push(...matches)
    now = by.replace(now, matches)
  }
  return { text: now, matches: all }
}

/** Most request ids. None of the default rules takes so few digits without a name that says what they are. */
function isShortNumber(json: Uint8Array): boolean {
  return json.length > 0 && json.length < 7 && json.every((byte) => byte >= 0x30 && byte <= 0x39)
}

type Settings = Pick<Scan, 'enabled' | 'disabledRules' | 'userRules' | 'cleanNames'>

function settingsOf(patterns: CompiledPatterns | undefined): Settings {
  const enabled = ruleClasses.filter((name) => patterns?.classes[name] ?? classDefaults[name])
  const userRules = (patterns?.rules ?? []).filter((rule) => enabled.includes(rule.class))
  return { enabled: new Set(enabled), disabledRules: patterns?.disabledRules ?? new Set(), userRules, cleanNames: [] }
}

/**
 * The first pass finds secrets by name and shape; the second also removes them where they stand without either. A detector
 * that fails costs the value, not the record: undefined means that the whole input has to go.
 */
function redactTwice(units: number, settings: Settings, pass: (scan: Scan) => Match[]): Match[] | undefined {
  const deadline = settings.userRules.length === 0 ? Number.POSITIVE_INFINITY : performance.now() + userRulesTimeMaxMs
  const scanFor = (known: ReadonlyMap<string, string>): Scan => {
    const work = { left: units * workPerUnit + workMin }
    // A name that is clean by every rule may still hold a secret that is known from elsewhere.
    const cleanNames = known.size === 0 ? settings.cleanNames : []
    return { ...settings, known, work, deadline, cleanNames, scanNested: scanNestedJson }
  }
  try {
    const first = pass(scanFor(new Map()))
    const known = knownSecrets(first)
    return known.size === 0 ? first : pass(scanFor(known))
  } catch (failure) {
    if (failure instanceof Error) return undefined
    throw failure
  }
}

function knownSecrets(matches: readonly Match[]): Map<string, string> {
  const known = new Map<string, string>()
  for (const match of matches)
    for (const { value, rule, class: ruleClass } of match.removed)
      if (ruleClass === 'secret' && known.size < knownMax && isWorthRepeating(value)) known.set(value, rule)
  return known
}

/** Short words would be removed from half the text. */
function isWorthRepeating(value: string): boolean {
  return value.length >= 8 || (value.length >= 6 && /\d/.test(value) && /\D/.test(value))
}

/** Bytes that are no JSON, as text; where they are not UTF-8 either, byte for byte as Latin-1. */
function walkPlain(bytes: Buffer, scan: Scan): Match[] {
  const text = bytes.toString('utf8')
  if (Buffer.byteLength(text) !== bytes.length || !Buffer.from(text).equals(bytes))
    return scanString(bytes.toString('latin1'), scan, 0)
  const matches = scanString(text, scan, 0)
  if (text.length === bytes.length) return matches
  let unit = 0
  let byte = 0
  const byteAt = (target: number) => {
    byte += Buffer.byteLength(text.slice(unit, target))
    unit = target
    return byte
  }
  return matches.map((match) => ({ ...match, start: byteAt(match.start), end: byteAt(match.end) }))
}

function spliceBytes(bytes: Buffer, matches: readonly Match[]): Buffer {
  if (matches.length === 0) return bytes
  const parts: Buffer[] = []
  let at = 0
  for (const match of matches) {
    parts.push(bytes.subarray(at, match.start), Buffer.from(match.replacement, 'latin1'))
    at = match.end
  }
  parts.push(bytes.subarray(at))
  return Buffer.concat(parts)
}

function listRemovals(matches: readonly Match[], digestOf: ReturnType<typeof createDigest>): Removal[] {
  const removed: Removal[] = []
  let unlistedBytes = 0
  for (const match of matches)
    for (const { path, rule, value, class: ruleClass } of match.removed) {
      const bytes = Buffer.byteLength(value)
      if (removed.length >= removalsMax) {
        unlistedBytes += bytes
        continue
      }
      const digest = digestOf(value, ruleClass)
      removed.push({ path, rule, bytes, ...(digest === undefined ? {} : { digest }) })
    }
  if (unlistedBytes > 0) removed.push({ path: '', rule: 'unlisted', bytes: unlistedBytes })
  return removed
}

function elide(bytes: number, rule: string): { text: string; removed: Removal[] } {
  return { text: markerOf(rule), removed: [{ path: '', rule, bytes }] }
}

function elideJson(bytes: number, rule: string): { text: Uint8Array; removed: Removal[] } {
  return { text: Buffer.from(JSON.stringify(markerOf(rule))), removed: [{ path: '', rule, bytes }] }
}

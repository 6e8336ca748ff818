/** What kind of value a rule finds. Every class can be switched; `classDefaults` is what happens without configuration. */
export const ruleClasses = [
  'secret', 'card', 'iban', 'email', 'ssn', 'phone', 'ip', 'domain', 'url', 'custom',
] as const // biome-ignore format: one list, read as one
export type RuleClass = (typeof ruleClasses)[number]

/** Addresses stay readable by default: an audit trail without hosts and URLs answers few questions. */
export const classDefaults: Readonly<Record<RuleClass, boolean>> = {
  secret: true,
  card: true,
  iban: true,
  email: true,
  ssn: true,
  phone: true,
  ip: false,
  domain: false,
  url: false,
  custom: true, // biome-ignore format: one list, read as one
}

/** A secret format that begins with fixed text, such as `ghp_`. The cheapest kind: one look per word. */
export interface PrefixRule {
  id: string
  /** Case-sensitive. They match where the character before is neither letter nor digit. */
  prefixes: readonly string[]
  /** Sticky; tried right behind the prefix. */
  tail: RegExp
  /** Judges prefix and tail together; without it anything but filler such as `xxxx` counts. */
  accept?: (value: string) => boolean
  /** Where it fails, it fails everywhere in the same run of letters, digits, `_` and `-`: the run is not tried again. */
  failsByRun?: true
}

/** A format without a fixed beginning. It runs only where the text holds one of `needs`. */
export interface AnchoredRule {
  id: string
  class: RuleClass
  needs: readonly string[]
  /** Global. Group `v` is what is removed where it exists, else the whole match. */
  pattern: RegExp
  accept?: (value: string) => boolean
  /** The secret itself where the format encodes it, for its digest. */
  plain?: (value: string) => string
}

/** A format too plain to stand alone: it counts only as the value of a name that holds the keyword. */
export interface ContextRule {
  id: string
  /** Looked for in the name's letters and digits, lower case. */
  keyword: RegExp
  /** Anchored at both ends. */
  value: RegExp
  accept?: (value: string) => boolean
}

/** Something found in a decoded string. */
export interface Match {
  start: number
  end: number
  rule: string
  class: RuleClass
  /** Byte-exact decoded values that were removed here, for the list and the digests; usually the text between start and end. */
  removed: readonly Found[]
  /** What takes its place: the marker, in quotes where it replaces a JSON number. */
  replacement: string
}

export interface Found {
  rule: string
  class: RuleClass
  value: string
  /** JSON Pointer within nested JSON, from the string that held it. */
  path: string
}

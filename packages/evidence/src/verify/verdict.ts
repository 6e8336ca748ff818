import type { Problem, Problems } from './problem.ts'

export const integrityLevels = ['INVALID', 'SIGNED', 'CONTINUOUS', 'WITNESSED'] as const
export type IntegrityLevel = (typeof integrityLevels)[number]
export type TimeLevel = 'CLAIMED' | 'BOUNDED'

/** A checkpoint that somebody outside holds, and that the log was found to extend. */
export interface OutsideCheckpoint {
  readonly size: number
  /** Base64. */
  readonly root: string
  /** `kept`: the verifier had it. `witnesses`: enough cosignatures are on it. */
  readonly by: 'kept' | 'witnesses'
  /** RFC 3339; the witnesses' clock, else the log's own clock at its last entry. Absent where neither is known. */
  readonly time?: string
}

/** What the walk through a log established, before anyone judges it. */
export interface Findings {
  readonly origin: string
  /** The log's own checkpoint; undefined where it is missing or not signed by a trusted key. */
  readonly checkpoint: { readonly size: number; readonly root: string } | undefined
  /** Newest one that the verifier kept. */
  readonly kept: OutsideCheckpoint | undefined
  /** Newest one with enough cosignatures. */
  readonly witnessed: OutsideCheckpoint | undefined
  /** Valid cosignatures on the newest checkpoint that has any; of how many known witnesses; how many the policy wants. */
  readonly cosignatures: { readonly count: number; readonly of: number; readonly required: number }
  readonly counts: Counts
}

export interface Counts {
  readonly entries: number
  readonly streams: number
  readonly callsCompleted: number
  /** Requested and nothing more known. */
  readonly callsOpen: number
  /** Outcome `unknown`, written by the collector after a crash. */
  readonly callsRecovered: number
  readonly gapsOpen: number
  readonly gapsClosed: number
  /** What closed gaps admit to have lost. */
  readonly missingInGaps: number
  /** Heads of earlier streams that could not be compared. */
  readonly headsUncompared: number
}

/** What only the caller can know. */
export interface Circumstances {
  readonly nowMs: number
  /** `readable`: the audited processes run as a user that can read the log's signing key. */
  readonly signingKey: 'readable' | 'separate' | 'unknown'
  /** `log`: the keys lay beside the log, so whoever replaced the one could replace the other. */
  readonly keysFrom: 'verifier' | 'log'
  readonly sensorKeysFrom: 'verifier' | 'log'
  /** Time-stamp tokens on both sides, already verified against a trusted authority. */
  readonly timeBounds?: { readonly notBefore: string; readonly notAfter: string }
}

export const notProvenCodes = [
  'tool_truth', 'coverage', 'no_rewrite', 'no_rewrite_beyond', 'signing_key_readable', 'signing_key_unknown',
  'keys_from_log', 'sensor_keys_from_log', 'time_claimed', 'not_complete',
] as const // biome-ignore format: one list, read as one
export type NotProvenCode = (typeof notProvenCodes)[number]

export interface NotProven {
  readonly code: NotProvenCode
  readonly text: string
}

/** The verdict on both axes. Plain JSON: the CLI, the dashboard and bundles render it. */
export interface Verdict {
  readonly integrity: { readonly level: IntegrityLevel; readonly label: string }
  readonly time: { readonly level: TimeLevel; readonly notBefore?: string; readonly notAfter?: string }
  /** False where something could not be looked at; then even a good level covers only the rest. */
  readonly complete: boolean
  readonly origin: string
  readonly checkpoint: { readonly size: number; readonly root: string } | null
  readonly outside: OutsideCheckpoint | null
  /** What lies beyond the last outside checkpoint: all of it where there is none; seconds are null where no time is known. */
  readonly beyond: { readonly entries: number; readonly seconds: number | null }
  readonly cosignatures: Findings['cosignatures']
  readonly signingKey: Circumstances['signingKey']
  readonly counts: Counts
  readonly firstBad: { readonly index: number; readonly code: string; readonly why: string } | null
  readonly problems: readonly Problem[]
  readonly problemCount: number
  readonly notProven: readonly NotProven[]
}

/** Judges findings. Any contradiction, wherever the caller found it, makes the whole INVALID. */
export function toVerdict(findings: Findings, problems: Problems, circumstances: Circumstances): Verdict {
  const { checkpoint, cosignatures, counts, origin } = findings
  const level = toLevel(findings, problems)
  const outside = newest(findings.kept, findings.witnessed)
  const { timeBounds } = circumstances
  return {
    integrity: { level, label: level === 'WITNESSED' ? `WITNESSED ${cosignatures.count}/${cosignatures.of}` : level },
    time: timeBounds === undefined ? { level: 'CLAIMED' } : { level: 'BOUNDED', ...timeBounds },
    complete: problems.unchecked === 0,
    origin,
    checkpoint: checkpoint ?? null,
    outside: outside ?? null,
    beyond: measureBeyond(counts.entries, outside, circumstances.nowMs),
    cosignatures,
    signingKey: circumstances.signingKey,
    counts,
    firstBad: toFirstBad(problems.firstBad),
    problems: problems.list,
    problemCount: problems.contradictions + problems.unchecked,
    notProven: listNotProven({ findings, problems, circumstances, outside }),
  }
}

function toLevel({ checkpoint, kept, witnessed }: Findings, { contradictions }: Problems): IntegrityLevel {
  if (contradictions > 0 || checkpoint === undefined) return 'INVALID'
  if (witnessed !== undefined) return 'WITNESSED'
  return kept === undefined ? 'SIGNED' : 'CONTINUOUS'
}

function newest(kept: OutsideCheckpoint | undefined, witnessed: OutsideCheckpoint | undefined) {
  return (witnessed?.size ?? -1) >= (kept?.size ?? -1) ? witnessed : kept
}

function measureBeyond(entries: number, outside: OutsideCheckpoint | undefined, nowMs: number): Verdict['beyond'] {
  const sinceMs = outside?.time === undefined ? undefined : Date.parse(outside.time)
  const seconds = sinceMs === undefined ? null : Math.max(0, Math.round((nowMs - sinceMs) / 1000))
  return { entries: Math.max(0, entries - (outside?.size ?? 0)), seconds }
}

function toFirstBad(problem: Problem | undefined): Verdict['firstBad'] {
  if (problem?.index === undefined) return null
  return { index: problem.index, code: problem.code, why: problem.message }
}

interface Judged {
  findings: Findings
  problems: Problems
  circumstances: Circumstances
  outside: OutsideCheckpoint | undefined
}

function listNotProven({ findings, problems, circumstances, outside }: Judged): NotProven[] {
  const beyond = findings.counts.entries - (outside?.size ?? 0)
  const list: [NotProvenCode, string, boolean][] = [
    ['tool_truth', 'that tools and servers did what they answered', true],
    ['coverage', 'that every call went through Affidavit', true],
    [
      'no_rewrite',
      'that whoever holds the signing key has not rewritten or truncated the log: no outside checkpoint was compared',
      outside === undefined,
    ],
    [
      'no_rewrite_beyond',
      `that whoever holds the signing key has not rewritten or truncated what came after entry ${(outside?.size ?? 0) - 1} (${beyond} entries here)`,
      outside !== undefined,
    ],
    [
      'signing_key_readable',
      'that the audited processes have not signed: they run as a user that can read the signing key',
      circumstances.signingKey === 'readable',
    ],
    [
      'signing_key_unknown',
      'that the audited processes cannot read the signing key: it was not looked at',
      circumstances.signingKey === 'unknown',
    ],
    [
      'keys_from_log',
      'that the log key is the right one: it was found beside the log',
      circumstances.keysFrom === 'log',
    ],
    [
      'sensor_keys_from_log',
      'that the sensor keys are the right ones: each stream names its own',
      circumstances.sensorKeysFrom === 'log',
    ],
    [
      'time_claimed',
      'when anything happened: times are those of the clocks involved',
      circumstances.timeBounds === undefined,
    ],
    ['not_complete', 'anything about what could not be checked (see the problems)', problems.unchecked > 0],
  ]
  return list.filter(([, , applies]) => applies).map(([code, text]) => ({ code, text }))
}

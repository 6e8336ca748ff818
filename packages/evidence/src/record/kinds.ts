/** The closed vocabularies of the record (docs/RECORD.md). Order is part of the format only where a comment says so. */

export const kinds = [
  'stream', 'epoch', 'call', 'read', 'prompt', 'list', 'sample', 'elicit', 'task', 'notify', 'session', 'auth',
  'approval', 'violation', 'gap', 'heartbeat', 'anchor', 'change', 'access', 'finding', 'respond', 'input',
  'snapshot', 'hold', 'erase', 'expire', 'key', 'drill', 'canary',
] as const // biome-ignore format: one list, read as one
export type Kind = (typeof kinds)[number]

/** Kinds that describe an MCP exchange and therefore come as `requested` and `completed`. */
export const exchangeKinds = ['call', 'read', 'prompt', 'list', 'sample', 'elicit', 'task', 'session'] as const
export type ExchangeKind = (typeof exchangeKinds)[number]

export const stages = ['requested', 'completed'] as const
export type Stage = (typeof stages)[number]

export const vantages = ['client', 'gateway', 'server'] as const
export type Vantage = (typeof vantages)[number]

/** Ways in which a program tells of an exchange that the sensor did not see: its own HTTP ingest, or OpenTelemetry. */
export const reportedWays = ['ingest', 'otlp'] as const
export type ReportedBy = (typeof reportedWays)[number]

/** Which way the request travelled: `to-server` for an agent's calls, `to-client` for sampling, elicitation, roots. */
export const directions = ['to-server', 'to-client'] as const
export type Direction = (typeof directions)[number]

export const sessionSources = ['legacy-http', 'legacy-stdio', 'declared', 'trace', 'absent'] as const
export type SessionSource = (typeof sessionSources)[number]

export const outcomes = [
  'success', 'tool_error', 'protocol_error', 'denied', 'cancelled', 'timeout', 'transport_error', 'continued',
  'withheld', 'unknown',
] as const // biome-ignore format: one list, read as one
export type Outcome = (typeof outcomes)[number]

export const dispositions = ['granted', 'denied', 'undecided'] as const
export type Disposition = (typeof dispositions)[number]

export const assurances = ['verified', 'attested', 'claimed'] as const
export type Assurance = (typeof assurances)[number]

export const effects = ['write', 'read', 'unknown'] as const
export type Effect = (typeof effects)[number]

/** What a call does to the world, exactly; `effect` is the class of the fail mode that it falls into. */
export const effectClasses = ['read', 'write', 'destructive', 'external-send'] as const
export type EffectClass = (typeof effectClasses)[number]

export const captureLevels = ['metadata', 'arguments', 'full'] as const
export type CaptureLevel = (typeof captureLevels)[number]

/** Position is part of the format: section i takes salt i of the record's derived keys (sections.ts). Append only. */
export const sectionNames = [
  'input', 'output', 'identity', 'resources', 'decision', 'purpose', 'environment', 'enrichment',
] as const // biome-ignore format: one list, read as one
export type SectionName = (typeof sectionNames)[number]

export type ResponseStatus = 'success' | 'failure' | 'error'

/** Field 7 as an auditor reads it. `continued` is not an outcome yet, so it maps to nothing. */
export function toResponseStatus(outcome: Outcome): ResponseStatus | undefined {
  switch (outcome) {
    case 'success':
      return 'success'
    case 'tool_error':
    case 'denied':
    case 'cancelled':
      return 'failure'
    case 'protocol_error':
    case 'timeout':
    case 'transport_error':
    case 'withheld':
    case 'unknown':
      return 'error'
    case 'continued':
      return undefined
  }
}

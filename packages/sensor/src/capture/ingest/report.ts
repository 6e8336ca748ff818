import type { Uuid } from '@affidavit/evidence/record/header'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Direction, Outcome, ReportedBy } from '@affidavit/evidence/record/kinds'
import type { OutputSection } from '@affidavit/evidence/record/output-section'
import type { Purpose } from '@affidavit/evidence/record/purpose-section'
import type { Resource } from '@affidavit/evidence/record/resources-section'
import type { TraceContext } from '../../identity/claims.ts'

/**
 * What a program tells of an exchange that the sensor did not see. Nothing in it is checked, and no text in it is redacted
 * or clipped: draft.ts does both. Members in JSON text are bytes of one well-formed value, as they came.
 */

/** Who tells. */
export interface Reporter {
  way: ReportedBy
  name: string
  version?: string
  /** Where the report came from. */
  address: string
}

/** Somebody of whom the reporter says that they act; `from`: where it read that, if not beside the name. */
export type ReportedActor = Pick<Actor, 'id' | 'kind' | 'name' | 'version' | 'issuer'> & { from?: string }

export interface ReportedServer {
  name: string
  reportedName?: string
  version?: string
  protocolVersion?: string
}

export interface ReportedRequest {
  reporter: Reporter
  vantage: 'client' | 'server'
  direction: Direction
  server: ReportedServer
  method: string
  /** JSON text of a string or a number. */
  requestId?: Uint8Array
  /** JSON text of an object. */
  params?: Uint8Array
  /** Whether the request had more in its params than was told. */
  isPartial: boolean
  /** Of the whole message. */
  inputBytes?: number
  /** `Mcp-Session-Id`: a credential, hence only digested. */
  sessionId?: string
  conversation?: string
  trace?: TraceContext
  agent?: ReportedActor
  workload?: ReportedActor
  user?: ReportedActor
  role?: ReportedActor
  delegation: ReportedActor[]
  purpose?: Pick<Purpose, 'kind' | 'statement'>
  callGroupId?: Uuid
  /** Milliseconds since 1970. */
  startedMs?: number
}

export interface ReportedOutcome {
  /** Goes before what `result` and `error` say. At least one of the three is there. */
  outcome?: Outcome
  /** JSON text of an object. */
  result?: Uint8Array
  /** JSON text of a JSON-RPC error object. */
  error?: Uint8Array
  httpStatus?: number
  /** Of an error that is not told itself. */
  rpcCode?: number
  /** Of the whole message. */
  responseBytes?: number
  latencyUs?: number
  /** What came back, where the result itself is not told. */
  outline?: Pick<OutputSection, 'blocks' | 'structuredBytes'>
  resources: Pick<Resource, 'type' | 'name' | 'dataTypes' | 'rows' | 'subjectClass'>[]
}

/** A report that is told once; told again with the same key, it is the same report. */
interface Keyed {
  key?: { text: string; hash: string }
}

export type Report =
  | ({ stage: 'whole'; request: ReportedRequest; outcome: ReportedOutcome } & Keyed)
  | ({ stage: 'requested'; request: ReportedRequest } & Keyed)
  | { stage: 'completed'; callId: Uuid; outcome: ReportedOutcome; hash: string }

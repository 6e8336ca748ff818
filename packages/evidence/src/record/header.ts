import type {
  CaptureLevel, Direction, Disposition, Effect, EffectClass, ExchangeKind, Kind, Outcome, ReportedBy, SectionName, SessionSource,
  Vantage,
} from './kinds.ts' // biome-ignore format: one list

/** Standard base64 with padding of exactly 32 bytes (44 characters). */
export type Hash = string
/** UUID version 7, lower case (RFC 9562 §5.7). */
export type Uuid = string
/** RFC 3339 UTC with milliseconds, e.g. `2026-11-20T11:03:40.123Z`. */
export type Timestamp = string
/** HMAC-SHA256 under the tenant's correlation key: `<key id: 8 hex digits>:<base64 of 32 bytes>` (digest.ts). */
export type KeyedDigest = string

/** What every header has, whatever its kind. All numbers are integers in 0…2^53−1. */
export interface HeaderCore {
  v: 1
  tenant: string
  epoch: string
  streamId: Uuid
  /** Contiguous from 0 within the stream. */
  seq: number
  /** Header hash of seq − 1; absent exactly where seq is 0. */
  prev?: Hash
  /** Kernel boot id where the platform has one, else a random id of this process. Monotonic times compare within it. */
  bootId: string
  time: Timestamp
  /** Microseconds of the machine's monotonic clock. */
  monotonicUs: number
  /** One commitment per section that the record's body holds (sections.ts). */
  sections: Partial<Record<SectionName, Hash>>
}

/** `name` as configured (1 to 256 bytes, always there); the rest as the server reported it, once it did, where isKeptName (text.ts). */
export interface ServerRef {
  name: string
  reportedName?: string
  version?: string
  protocolVersion?: string
}

/** A tool the server listed: its exact name and the SHA-256 of its definition's bytes. Else: a digest of what was asked for. */
export type ToolRef = { name: string; definition: Hash } | { nameDigest: KeyedDigest; definition: 'unlisted' }

export interface Classification {
  /** `unclassified` until a classifier exists, else a level of the configured scheme; 1 to 64 bytes. */
  level: string
  /** At most 16 of 1 to 64 bytes. */
  tags: string[]
}

export interface DecisionRef {
  disposition: Disposition
  mode: 'observe' | 'enforce'
}

/** Written before the request goes on. */
export interface RequestedHeader extends HeaderCore {
  kind: ExchangeKind
  stage: 'requested'
  vantage: Vantage
  direction: Direction
  callId: Uuid
  /** Present where the call spans several exchanges; then equal in all of them. */
  callGroupId?: Uuid
  /** The call in whose course this one is said to be made: claimed, and perhaps of a log that is not this one. */
  parentCallId?: Uuid
  sessionSource: SessionSource
  /**
   * By source, so that no client-chosen text gets in: `legacy-http` and `declared` a KeyedDigest, `legacy-stdio` a Uuid,
   * `trace` a trace id. Absent exactly where sessionSource is `absent`; then sessionReason says why.
   */
  sessionId?: string
  sessionReason?: string
  /** MCP method where it is one the protocol defines, else its digest in methodDigest. */
  method?: string
  methodDigest?: KeyedDigest
  requestIdDigest: KeyedDigest
  server: ServerRef
  /** Present for tools/call. */
  tool?: ToolRef
  effect: Effect
  /** As the operator's catalogue has it; effect follows from it. */
  effectClass?: EffectClass
  /** As the server has it in the tool's annotations, where no catalogue says it: a claim, with which effect is `unknown`. */
  effectClaim?: EffectClass
  level: CaptureLevel
  /** Bytes of the whole JSON-RPC message as received, without its line terminator. */
  inputBytes: number
  classification: Classification
  decision: DecisionRef
  /** From W3C trace context in `_meta` or HTTP, where valid. 32 and 16 lower-case hex digits. */
  traceId?: string
  spanId?: string
  /** How it was told to the sensor by a program that saw the exchange; absent where the sensor saw it itself. */
  reported?: ReportedBy
}

/** Written before the result is released. Points at `requested` and does not repeat it. */
export interface CompletedHeader extends HeaderCore {
  kind: ExchangeKind
  stage: 'completed'
  callId: Uuid
  callGroupId?: Uuid
  /** Header hash of the `requested` record. */
  requestedHash: Hash
  outcome: Outcome
  httpStatus?: number
  /** JSON-RPC error code, where the response was an error. The only number that may be negative. */
  rpcCode?: number
  /** Bytes of the whole JSON-RPC response as received. Absent where none was seen (outcome `unknown`, `transport_error`). */
  responseBytes?: number
  /** From the arrival of the request to the arrival of the response's last byte. Absent like responseBytes. */
  latencyUs?: number
  /** Present where this very response told name or version (initialize, server/discover). */
  server?: ServerRef
  /** Present where the response changed what `requested` said of the data. */
  classification?: Classification
  /** Present where this very response opened the session (legacy HTTP); a KeyedDigest. */
  sessionId?: string
  reported?: ReportedBy
}

/** Head of a stream: the last record that is known to be durable. */
export interface StreamHead {
  streamId: Uuid
  seq: number
  hash: Hash
}

export type StreamDetail =
  | {
      event: 'opened'
      /** First 16 hex digits of SHA-256 of the sensor's public key. */
      sensorId: string
      /** Raw Ed25519 public key, base64 of 32 bytes. */
      sensorKey: string
      /** Per sensor, contiguous from 0: a whole stream cannot vanish. */
      counter: number
      /** The stream with counter − 1 as far as its head was known then; null for counter 0 or where it never became durable. */
      previous: StreamHead | null
      software: string
    }
  | { event: 'closed'; reason: 'exit' | 'signal' | 'idle' | 'error' }
  /** Written on the collector's own stream for a stream whose process died. */
  | { event: 'recovered'; head: StreamHead; tornBytes: number; unknownCalls: number }

export type GapDetail =
  | { event: 'opened'; gapId: Uuid; code: string }
  | {
      event: 'closed'
      gapId: Uuid
      missingRequests: number
      missingResponses: number
      missingNotifications: number
      from: Timestamp
      to: Timestamp
    }

/** Something on the wire that is not what the protocol allows, or that two parsers would read differently. */
export interface ViolationDetail {
  code:
    | 'not_json' | 'invalid_utf8' | 'duplicate_key' | 'folded_key' | 'not_jsonrpc' | 'batch' | 'duplicate_id'
    | 'unmatched_response' | 'too_deep' | 'unterminated_line' | 'refused_stream' | 'header_mismatch' | 'header_missing'
    | 'undecodable' // biome-ignore format: one list
  direction?: Direction
  bytes: number
}

/** Notifications, aggregated: `count` of the same method and direction since the last such record. */
export interface NotifyDetail {
  direction: Direction
  method?: string
  methodDigest?: KeyedDigest
  count: number
  bytes: number
  callId?: Uuid
}

/** How a definition or a configuration changed. What changed, readably, is in section `input`. */
export type ChangeDetail =
  | { subject: 'tool'; name: string; event: 'appeared'; after: Hash }
  | { subject: 'tool'; name: string; event: 'changed'; before: Hash; after: Hash }
  | { subject: 'tool'; name: string; event: 'disappeared'; before: Hash }
  | { subject: 'config'; event: 'loaded'; after: Hash }
  | { subject: 'config'; event: 'changed'; before: Hash; after: Hash }
  | { subject: 'policy'; event: 'loaded'; after: Hash }
  | { subject: 'policy'; event: 'changed'; before: Hash; after: Hash }

/**
 * A credential was judged, or exchanged for one that the server accepts. Who it names is in section `identity`; the
 * credentials themselves are nowhere.
 */
export interface AuthDetail {
  event: 'admitted' | 'refused' | 'exchanged' | 'exchange_failed'
  /** The judgement stopped nothing: the request went on to whoever decides. Absent: it was in force. */
  mode?: 'observe'
  /** Why it was refused or failed. */
  code?: string
  grant?: 'token-exchange' | 'client-credentials'
  /** Of the credential that came. */
  fingerprint?: KeyedDigest
  expires?: Timestamp
  /** Of the credential it was exchanged for. */
  upstreamFingerprint?: KeyedDigest
  upstreamExpires?: Timestamp
  /** How many it stands for where a flood was counted, then without fingerprints; absent: one. */
  count?: number
}

/**
 * Somebody decided on a call that was refused because policy asks for an approval. Who it was is in section `identity`, what was
 * shown and signed in section `input`.
 */
export interface ApprovalDetail {
  verdict: 'approved' | 'denied'
  approvalId: Uuid
  /** The call that was refused. */
  callId: Uuid
  /** What proves who decided: a signature by his key, or a token. */
  method: 'ed25519' | 'token'
  /** Of method, target and arguments as they came, salted. */
  digest: KeyedDigest
  until: Timestamp
  uses: number
}

/** First entry of a log. */
export interface EpochDetail {
  origin: string
  previous: { origin: string; size: number; root: Hash } | null
}

export interface StreamHeader extends HeaderCore {
  kind: 'stream'
  detail: StreamDetail
}
export interface GapHeader extends HeaderCore {
  kind: 'gap'
  detail: GapDetail
}
export interface ViolationHeader extends HeaderCore {
  kind: 'violation'
  server?: ServerRef
  detail: ViolationDetail
}
export interface NotifyHeader extends HeaderCore {
  kind: 'notify'
  server?: ServerRef
  detail: NotifyDetail
}
export interface ChangeHeader extends HeaderCore {
  kind: 'change'
  server?: ServerRef
  detail: ChangeDetail
}
export interface AuthHeader extends HeaderCore {
  kind: 'auth'
  server?: ServerRef
  detail: AuthDetail
}
export interface ApprovalHeader extends HeaderCore {
  kind: 'approval'
  server?: ServerRef
  detail: ApprovalDetail
}
export interface EpochHeader extends HeaderCore {
  kind: 'epoch'
  detail: EpochDetail
}
export interface HeartbeatHeader extends HeaderCore {
  kind: 'heartbeat'
}

export type Header =
  | RequestedHeader | CompletedHeader | StreamHeader | GapHeader | ViolationHeader | NotifyHeader | ChangeHeader
  | AuthHeader | ApprovalHeader | EpochHeader | HeartbeatHeader // biome-ignore format: one list

/** What a caller hands to a stream; the stream adds the core (tenant, epoch, place, times, commitments). */
export type Draft = DraftOf<Header>
type DraftOf<H> = H extends HeaderCore ? Omit<H, keyof HeaderCore> & { time?: Timestamp; monotonicUs?: number } : never

/** Kinds this version writes and reads; the others of `kinds` are reserved and refused by the parser. */
export type WrittenKind = Header['kind'] & Kind

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

/** One credential as a list shows it. */
export interface CredentialSummary {
  /** The collector's reference: `c_` and 16 hex digits. */
  credential: string
  firstMs: number
  lastMs: number
  calls: number
  /** `auth` records about it that say `refused`. */
  refusals: number
}

/** Calls with a credential to one tool of one server, or by one other method. */
export interface CredentialUse {
  server: string
  /** Name of the tool; the method where it was no tool call; undefined where the log has digests only. */
  name: string | undefined
  calls: number
  notSuccessful: number
  firstMs: number
  lastMs: number
}

/** Equal judgements on a credential, counted. */
export interface CredentialJudgement {
  event: string
  code: string | undefined
  server: string | undefined
  /** `observe` where nothing was stopped. */
  mode: string | undefined
  times: number
  /** Of the first and the last such record. */
  leaf: number
  firstMs: number
  lastMs: number
  expires: string | undefined
  grant: string | undefined
  upstreamExpires: string | undefined
  /** The credential it was exchanged for, where calls with that one are in this log too. */
  upstream: string | undefined
}

export interface CredentialLife {
  credential: string
  judgements: CredentialJudgement[]
  uses: CredentialUse[]
  /** Credentials it was exchanged for are in `judgements`; these are those it came from. */
  exchangedFrom: string[]
  calls: number
  firstMs: number
  lastMs: number
  /** Names that agents which presented it gave themselves. */
  agents: string[]
  sessions: number
  /** Capture processes that saw it. */
  streams: number
  /** Leaves that carry it, first and last of each: what is known of it may differ. */
  leaves: number[]
}

const everywhere = `
  SELECT credential, leaf, time, streamId, 1 AS isCall, 0 AS isRefusal, agent, session FROM calls WHERE credential IS NOT NULL
  UNION ALL
  SELECT credential, leaf, time, streamId, 0, event = 'refused', NULL, NULL FROM records
  WHERE credential IS NOT NULL AND kind = 'auth'`

/** The `limit` last used ones, oldest first, and how many there are in all. */
export function listCredentials(db: DatabaseSync, limit: number): { credentials: CredentialSummary[]; total: number } {
  const rows = db
    .prepare(
      `SELECT credential, min(time) AS firstMs, max(time) AS lastMs, sum(isCall) AS records, sum(isRefusal) AS refusals,
       count(*) OVER () AS total FROM (${everywhere}) GROUP BY credential ORDER BY lastMs DESC, credential LIMIT ?`,
    )
    .all(limit)
  const credentials = rows.reverse().map(({ credential, firstMs, lastMs, refusals }) => ({
    credential: String(credential),
    firstMs: Number(firstMs),
    lastMs: Number(lastMs),
    calls: countCalls(db, String(credential)),
    refusals: Number(refusals),
  }))
  return { credentials, total: Number(rows[0]?.total ?? 0) }
}

/** A call that came by several times with the same credential is one. */
const oneCall = 'count(DISTINCT coalesce(countedAt, leaf))'

function countCalls(db: DatabaseSync, credential: string): number {
  return Number(db.prepare(`SELECT ${oneCall} AS n FROM calls WHERE credential = ?`).get(credential)?.n)
}

/** References of credentials whose token has this SHA-256. */
export function findByFingerprint(db: DatabaseSync, fingerprint: Uint8Array): string[] {
  return db
    .prepare(
      `SELECT DISTINCT credential FROM (SELECT credential, tokenFingerprint FROM calls WHERE credential IS NOT NULL
       UNION ALL SELECT credential, tokenFingerprint FROM records WHERE credential IS NOT NULL)
       WHERE tokenFingerprint = ? ORDER BY 1`,
    )
    .all(fingerprint)
    .map(({ credential }) => String(credential))
}

/** Of the record with this leaf; undefined where no credential came with it. */
export function credentialOfLeaf(db: DatabaseSync, leaf: number): string | undefined {
  const row = db
    .prepare('SELECT credential FROM calls WHERE leaf = ?1 UNION ALL SELECT credential FROM records WHERE leaf = ?1')
    .get(leaf)
  return text(row?.credential)
}

/** Everything that the index has of a credential; undefined where it has nothing. */
export function readLife(db: DatabaseSync, credential: string): CredentialLife | undefined {
  const whole = db
    .prepare(
      `SELECT count(*) AS n, min(time) AS firstMs, max(time) AS lastMs, count(DISTINCT streamId) AS streams,
       count(DISTINCT session) AS sessions FROM (${everywhere}) WHERE credential = ?`,
    )
    .get(credential)
  if (whole === undefined || whole.n === 0) return undefined
  const agents = db
    .prepare('SELECT DISTINCT agent FROM calls WHERE credential = ? AND agent IS NOT NULL ORDER BY agent LIMIT 20')
    .all(credential)
  return {
    credential,
    judgements: readJudgements(db, credential),
    uses: readUses(db, credential),
    exchangedFrom: readOrigins(db, credential),
    calls: countCalls(db, credential),
    firstMs: Number(whole.firstMs),
    lastMs: Number(whole.lastMs),
    agents: agents.map(({ agent }) => String(agent)),
    sessions: Number(whole.sessions),
    streams: Number(whole.streams),
    leaves: endLeaves(db, credential),
  }
}

/** Calls that began at `sinceMs` or later and were not denied. */
export function countUsesAfter(db: DatabaseSync, credential: string, sinceMs: number): number {
  const went = "disposition <> 'denied' AND (outcome IS NULL OR outcome <> 'denied')"
  const later = db.prepare(`SELECT ${oneCall} AS n FROM calls WHERE credential = ? AND time >= ? AND ${went}`)
  return Number(later.get(credential, sinceMs)?.n)
}

/** At the place where it came by: what a server behind that was sent may be another one. */
function readUses(db: DatabaseSync, credential: string): CredentialUse[] {
  return db
    .prepare(
      `SELECT server, coalesce(tool, CASE kind WHEN 'call' THEN NULL ELSE method END) AS name, ${oneCall} AS calls,
       sum(outcome IS NULL OR outcome NOT IN ('success', 'continued')) AS notSuccessful, min(time) AS firstMs,
       max(time) AS lastMs FROM calls WHERE credential = ? GROUP BY 1, 2 ORDER BY 1, firstMs`,
    )
    .all(credential)
    .map((row) => ({
      server: String(row.server),
      name: text(row.name),
      calls: Number(row.calls),
      notSuccessful: Number(row.notSuccessful),
      firstMs: Number(row.firstMs),
      lastMs: Number(row.lastMs),
    }))
}

function readJudgements(db: DatabaseSync, credential: string): CredentialJudgement[] {
  const told = (name: string) => `detail ->> '${name}' AS "${name}"`
  return db
    .prepare(
      `SELECT event, ${told('code')}, server, ${told('mode')}, ${told('grant')}, ${told('upstreamFingerprint')},
       count(*) AS times, min(leaf) AS leaf, min(time) AS firstMs, max(time) AS lastMs, max(detail ->> 'expires') AS expires,
       max(detail ->> 'upstreamExpires') AS upstreamExpires FROM records
       WHERE credential = ? AND kind = 'auth' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY leaf`,
    )
    .all(credential)
    .map((row) => ({
      event: String(row.event),
      code: text(row.code),
      server: text(row.server),
      mode: text(row.mode),
      times: Number(row.times),
      leaf: Number(row.leaf),
      firstMs: Number(row.firstMs),
      lastMs: Number(row.lastMs),
      expires: text(row.expires),
      grant: text(row.grant),
      upstreamExpires: text(row.upstreamExpires),
      upstream: findByDigest(db, text(row.upstreamFingerprint)),
    }))
}

/** The reference of a credential that was judged under this digest. */
function findByDigest(db: DatabaseSync, digest: string | undefined): string | undefined {
  if (digest === undefined) return undefined
  const row = db
    .prepare(
      `SELECT credential FROM records WHERE kind = 'auth' AND detail ->> 'fingerprint' = ? AND credential IS NOT NULL
       ORDER BY leaf LIMIT 1`,
    )
    .get(digest)
  return text(row?.credential)
}

/** Credentials that were exchanged for this one, as whoever exchanged them recorded it. */
function readOrigins(db: DatabaseSync, credential: string): string[] {
  return db
    .prepare(
      `SELECT DISTINCT origin.credential FROM records AS own JOIN records AS origin
       ON origin.detail ->> 'upstreamFingerprint' = own.detail ->> 'fingerprint'
       WHERE own.credential = ? AND own.kind = 'auth' AND origin.kind = 'auth' AND origin.credential IS NOT NULL
       ORDER BY origin.leaf LIMIT 20`,
    )
    .all(credential)
    .map((row) => String(row.credential))
}

function endLeaves(db: DatabaseSync, credential: string): number[] {
  const rows = db
    .prepare(`SELECT min(leaf) AS first, max(leaf) AS last FROM (${everywhere}) WHERE credential = ? GROUP BY isCall`)
    .all(credential)
  return [...new Set(rows.flatMap(({ first, last }) => [Number(first), Number(last)]))].sort((a, b) => a - b)
}

function text(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

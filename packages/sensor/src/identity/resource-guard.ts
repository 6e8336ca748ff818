import { isScopedFor } from './access-token.ts'
import type { Admission, AuthEvent, GuardRequest } from './admission.ts'
import type { Digest } from './bearer.ts'
import { createBearerJudge } from './bearer-judge.ts'
import type { Redact } from './claims.ts'
import { type Fetch, fetchJson } from './fetch-json.ts'
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts'
import { createNews } from './news.ts'
import { Refusal } from './refusal-code.ts'
import { createRefuse } from './refuse.ts'
import { describeResource, metadataPathOf } from './resource-metadata.ts'
import { createUpstreamTokens, type UpstreamGrant } from './upstream-token.ts'

/**
 * A protected resource of its own (RFC 9728): only tokens that a trusted issuer made for this very resource are admitted, and
 * the upstream gets another one. Its compromise gains the tokens in memory and the client secret: whoever has them acts as
 * every user who comes by, until the tokens expire and the secret is withdrawn.
 */
export interface ResourceGuard {
  /** Rejects on a defect only: whatever clients and authorization servers send becomes an Admission. */
  admit(request: GuardRequest): Promise<Admission>
  /** Refusals that were counted instead of told one by one: to be recorded every few seconds, and at the end. */
  drainRefusals(): AuthEvent[]
  /** These events could not be recorded; they come again, refusals as counts. */
  giveBack(events: readonly AuthEvent[]): void
  /** The document to be served at metadataPath. */
  metadata(): object
  metadataPath: string
  /** Gives up what is being asked of authorization servers. */
  close(): void
}

export interface ResourceGuardOptions {
  resource: string
  issuers: readonly { issuer: string; jwksUri?: string }[]
  /** All of them are required. */
  scopes: readonly string[]
  /** One of them must be among the token's audiences: the resource itself, unless the issuer knows it by another name. */
  audiences: readonly string[]
  algorithms: readonly string[]
  typ: 'at+jwt' | 'any'
  skewMs: number
  upstream: UpstreamGrant
  digest: Digest
  /** Applied to every claim before it is kept. */
  redact: Redact
  fetch: Fetch
  diagnose: (code: string, sentence: string) => void
}

export function createResourceGuard(options: ResourceGuardOptions): ResourceGuard {
  const { scopes, upstream, digest } = options
  const ended = new AbortController()
  const resource = { resource: options.resource, scopes, issuers: options.issuers.map(({ issuer }) => issuer) }
  const judge = createBearerJudge({ ...options, issuers: createIssuers(options, ended.signal) }, options)
  const refuse = createRefuse({ ...options, resource, grant: upstream.grant })
  const news = createNews()
  const tokens = createUpstreamTokens({
    grant: upstream,
    digest,
    send: (request) => fetchJson(options.fetch, { ...request, signal: ended.signal }),
  })

  return {
    async admit(request) {
      const bearer = await orRefusal(judge(request))
      if (bearer instanceof Refusal) return refuse.unverified(bearer.code, request)
      if (!isScopedFor(bearer.verified, scopes)) return refuse.verified('scope_missing', request, bearer)
      const { subject, principals } = bearer
      const events = news.ofBearer(bearer)
      const obtained = await orRefusal(tokens.obtain(subject, request.nowMs))
      if (obtained instanceof Refusal) {
        const refused = refuse.verified(obtained.code, request, bearer)
        return { ...refused, events: [...events, ...refused.events] }
      }
      events.push(...news.ofExchange(bearer, obtained, upstream.grant))
      const authorization = `Bearer ${obtained.token}`
      return { verdict: 'admitted', authorization, principals, events, forget: () => tokens.forget(subject) }
    },
    giveBack(events) {
      for (const { detail } of events) {
        news.giveBack(detail)
        refuse.giveBack(detail)
      }
    },
    drainRefusals: refuse.drain,
    metadata: () => describeResource(resource),
    metadataPath: metadataPathOf(options.resource),
    close: () => ended.abort(),
  }
}

function createIssuers(options: ResourceGuardOptions, signal: AbortSignal): ReadonlyMap<string, IssuerKeys> {
  const { issuers, fetch, diagnose } = options
  const onUnavailable = (issuer: string, problem: string) =>
    diagnose('AFD_ISSUER_UNAVAILABLE', `keys of ${issuer} could not be fetched: ${problem}`)
  return new Map(issuers.map((each) => [each.issuer, createIssuerKeys({ ...each, fetch, signal, onUnavailable })]))
}

/** A refusal is an answer here, and anything else a defect. */
async function orRefusal<V>(work: Promise<V>): Promise<V | Refusal> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

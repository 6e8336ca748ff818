import { isScopedFor } from './access-token.ts'
import type { Admission, AuthEvent, GuardRequest } from './admission.ts'
import type { Digest } from './bearer.ts'
import { createBearerJudge } from './bearer-judge.ts'
import type { Redact } from './claims.ts'
import { type Fetch, fetchJson } from './fetch-json.ts'
import { createNews } from './news.ts'
import { openTrust, type TrustOptions } from './open-trust.ts'
import { orRefusal, Refusal } from './refusal-code.ts'
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

export interface ResourceGuardOptions extends Pick<TrustOptions, 'issuers' | 'introspecting'> {
  resource: string
  /** All of them are required. */
  scopes: readonly string[]
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
  // Whatever stands in front, this is where clients send their requests.
  const origin = [new URL(options.resource).origin]
  const resource = { resource: options.resource, scopes, issuers: options.issuers.map(({ issuer }) => issuer) }
  const trust = openTrust(options, ended.signal)
  const judge = createBearerJudge(trust, options)
  const { redact } = options
  const refuse = createRefuse({ resource, grant: upstream.grant, digest, redact, readingOf: trust.readingOf })
  const news = createNews()
  const tokens = createUpstreamTokens({
    grant: upstream,
    digest,
    send: (request) => fetchJson(options.fetch, { ...request, signal: ended.signal }),
  })

  return {
    async admit(asked) {
      const request = { ...asked, origins: () => origin }
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

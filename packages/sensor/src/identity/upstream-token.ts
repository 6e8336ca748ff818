import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { createBoundedMap } from './bounded-map.ts'
import { isJsonObject } from './claims.ts'
import { authenticateClient, type ClientCredentials } from './client-authentication.ts'
import { type EndpointAnswer, EndpointError, type EndpointRequest } from './fetch-json.ts'
import { Refusal, type RefusalCode } from './refusal-code.ts'

/**
 * Tokens for the upstream, instead of the client's own, which the upstream must never see. They live in this process's
 * memory and nowhere else; whoever reads that memory can act as the gateway's users towards the upstream until they expire.
 */
export interface UpstreamGrant extends ClientCredentials {
  grant: 'token-exchange' | 'client-credentials'
  tokenEndpoint: string
  /** What the token is for, as the authorization server knows it (RFC 8693 §2.1, RFC 8707 §2). */
  audience?: string
  resource?: string
  scopes?: readonly string[]
}

export interface UpstreamToken {
  token: string
  fingerprint: KeyedDigest
  expiresMs: number
}

/** The client's token, after it was verified. */
export interface SubjectToken {
  token: string
  fingerprint: KeyedDigest
}

export interface UpstreamTokens {
  /** Throws Refusal with one of the `exchange_…` codes. Nothing is remembered of a failure. */
  obtain(subject: SubjectToken, nowMs: number): Promise<UpstreamToken>
  /** The upstream did not accept it. */
  forget(subject: SubjectToken): void
}

export interface UpstreamTokenParts {
  grant: UpstreamGrant
  digest: (value: string) => KeyedDigest
  send: (request: Omit<EndpointRequest, 'signal'>) => Promise<EndpointAnswer>
}

const timeoutMs = 10_000
const rememberedMax = 4096
/** Each waits for the authorization server at most timeoutMs; more at once would only queue there. */
const underWayMax = 64
/** A token is used until shortly before it expires: it must still be valid when it arrives. */
const marginMs = 30_000
/** Of the lifetime, where that is short. */
const marginShare = 10
/** RFC 6749 §5.1 lets the server say nothing; then it is asked again soon. */
const lifetimeUnknownMs = 60_000
const lifetimeMaxMs = 24 * 3_600_000

interface Remembered {
  upstream: UpstreamToken
  useUntilMs: number
}

export function createUpstreamTokens(parts: UpstreamTokenParts): UpstreamTokens {
  const remembered = createBoundedMap<Remembered>(rememberedMax)
  const underWay = new Map<string, Promise<UpstreamToken>>()
  // What the gateway gets for itself serves everybody.
  const keyOf = ({ fingerprint }: SubjectToken) => (parts.grant.grant === 'token-exchange' ? fingerprint : 'gateway')

  const request = async (subject: SubjectToken, nowMs: number): Promise<UpstreamToken> => {
    const upstream = await requestToken(parts, subject, nowMs)
    const lifetimeMs = upstream.expiresMs - nowMs
    const useUntilMs = upstream.expiresMs - Math.min(marginMs, lifetimeMs / marginShare)
    remembered.set(keyOf(subject), { upstream, useUntilMs })
    return upstream
  }
  return {
    async obtain(subject, nowMs) {
      const key = keyOf(subject)
      const known = remembered.get(key)
      if (known !== undefined && nowMs < known.useUntilMs) return known.upstream
      const shared = underWay.get(key)
      if (shared !== undefined) return shared
      if (underWay.size >= underWayMax) throw new Refusal('exchange_busy')
      const own = request(subject, nowMs).finally(() => underWay.delete(key))
      underWay.set(key, own)
      return own
    },
    forget: (subject) => remembered.delete(keyOf(subject)),
  }
}

async function requestToken(
  { grant, digest, send }: UpstreamTokenParts,
  subject: SubjectToken,
  nowMs: number,
): Promise<UpstreamToken> {
  const form = grantForm(grant, subject)
  const headers = authenticateClient(grant, form)
  if (headers === undefined) throw new Refusal('exchange_misconfigured')
  const answer = await ask(send, {
    url: grant.tokenEndpoint,
    method: 'POST',
    headers,
    body: form.toString(),
    timeoutMs,
  })
  if (answer.status !== 200) throw new Refusal(refusalOf(answer, grant))
  const { token, lifetimeMs } = parseTokenAnswer(answer.json, grant)
  const fingerprint = digest(token)
  // The same token again would be the client's own passed on.
  if (fingerprint === subject.fingerprint) throw new Refusal('exchange_malformed')
  return { token, fingerprint, expiresMs: nowMs + lifetimeMs }
}

async function ask(
  send: UpstreamTokenParts['send'],
  request: Omit<EndpointRequest, 'signal'>,
): Promise<EndpointAnswer> {
  try {
    return await send(request)
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error
    throw new Refusal(error.retry ? 'exchange_unavailable' : 'exchange_malformed')
  }
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** RFC 8693 §2.1; RFC 6749 §4.4.2. */
function grantForm(grant: UpstreamGrant, subject: SubjectToken): URLSearchParams {
  const form = new URLSearchParams()
  if (grant.grant === 'token-exchange') {
    form.set('grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange')
    form.set('subject_token', subject.token)
    form.set('subject_token_type', accessTokenType)
    form.set('requested_token_type', accessTokenType)
  } else form.set('grant_type', 'client_credentials')
  if (grant.audience !== undefined) form.set('audience', grant.audience)
  if (grant.resource !== undefined) form.set('resource', grant.resource)
  if (grant.scopes !== undefined && grant.scopes.length > 0) form.set('scope', grant.scopes.join(' '))
  return form
}

/** Errors that say something about this user's token, rather than about the gateway (RFC 6749 §5.2, RFC 8693 §2.2.2). */
const aboutTheSubject: readonly unknown[] = ['invalid_grant', 'invalid_request', 'access_denied']

function refusalOf({ status, json }: EndpointAnswer, { grant }: UpstreamGrant): RefusalCode {
  if (status === 429 || status >= 500) return 'exchange_unavailable'
  const error = isJsonObject(json) ? json.error : undefined
  return grant === 'token-exchange' && aboutTheSubject.includes(error) ? 'exchange_refused' : 'exchange_misconfigured'
}

const bearerSyntax = /^[A-Za-z0-9\-._~+/]+=*$/
const tokenCharsMax = 16 * 1024

/** RFC 6749 §5.1, RFC 8693 §2.2.1. Throws Refusal `exchange_malformed`: what is no bearer token is of no use upstream. */
function parseTokenAnswer(json: unknown, { grant }: UpstreamGrant): { token: string; lifetimeMs: number } {
  const answer: Record<string, unknown> = isJsonObject(json) ? json : {}
  const { access_token: token, token_type: type, expires_in: seconds, issued_token_type: issued } = answer
  const isBearer = typeof type === 'string' && type.toLowerCase() === 'bearer'
  const isToken = typeof token === 'string' && token.length <= tokenCharsMax && bearerSyntax.test(token)
  const isOfType = grant === 'client-credentials' || issued === accessTokenType || issued === jwtType
  if (!isBearer || !isToken || !isOfType || !isLifetime(seconds)) throw new Refusal('exchange_malformed')
  const lifetimeMs = typeof seconds === 'number' ? seconds * 1000 : lifetimeUnknownMs
  return { token, lifetimeMs: Math.min(lifetimeMs, lifetimeMaxMs) }
}

const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

function isLifetime(seconds: unknown): boolean {
  return seconds === undefined || (typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0)
}

import { type CompactJWSHeaderParameters, type CryptoKey, createLocalJWKSet, errors, type LocalJWKSet } from 'jose'
import { isJsonObject } from './claims.ts'
import { EndpointError, type Fetch, fetchJson, isSecureUrl } from './fetch-json.ts'
import { Refusal } from './refusal-code.ts'

/**
 * Keys of one issuer, found by discovery and kept in memory. Whoever can answer for the issuer's host decides which tokens
 * are admitted, which is why nothing but TLS or loopback is asked.
 */
export interface IssuerKeys {
  /** The key that the token's header names. Throws Refusal `unknown_key` or `keys_unavailable`. */
  keyFor(header: CompactJWSHeaderParameters, nowMs: number): Promise<CryptoKey>
  /** Asks for them, so that whoever needs one first need not wait. */
  warm(nowMs: number): void
}

export interface IssuerOptions {
  /** As it stands in `iss`, compared literally. */
  issuer: string
  /** Where its keys are; found by discovery where it is not given. */
  jwksUri?: string
  /** Instead of asking anybody: the key set as it is now. Throws where it cannot be read. */
  readKeys?: () => unknown
  fetch: Fetch
  signal: AbortSignal
  /** `problem` is a word of ours, never anything the endpoint sent. */
  onUnavailable: (issuer: string, problem: string) => void
}

/** Keys are asked for again after this time: an issuer that withdraws one expects to be believed. */
const freshMs = 10 * 60_000
/** While the endpoint is down, the keys last seen keep working for so long. */
const graceMs = 24 * 3_600_000
/** Tokens with invented key ids make no more requests than this allows, and an endpoint that is down is left alone. */
const pauseMs = 10_000
const firstTimeoutMs = 5_000
const refreshTimeoutMs = 1_000
/** How long a caller with keys at hand waits for newer ones; what comes later counts for those who come later. */
const refreshWaitMs = 400

interface Held {
  keys: LocalJWKSet
  fetchedMs: number
}

export function createIssuerKeys(options: IssuerOptions): IssuerKeys {
  let held: Held | undefined
  let triedMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  let isDown = false

  const fetchKeys = async (nowMs: number): Promise<void> => {
    try {
      const keys = await loadKeys(options, held === undefined ? firstTimeoutMs : refreshTimeoutMs)
      held = { keys, fetchedMs: nowMs }
      isDown = false
    } catch (error) {
      isDown = true
      options.onUnavailable(options.issuer, problemOf(error))
    }
  }
  const refresh = (nowMs: number): Promise<void> => {
    if (pending !== undefined) return pending
    if (isWithin(pauseMs, triedMs, nowMs)) return Promise.resolve()
    triedMs = nowMs
    pending = fetchKeys(nowMs).finally(() => {
      pending = undefined
    })
    return pending
  }
  return {
    warm: (nowMs) => void refresh(nowMs),
    async keyFor(header, nowMs) {
      const isUsable = held !== undefined && isWithin(graceMs, held.fetchedMs, nowMs)
      if (held === undefined || !isWithin(freshMs, held.fetchedMs, nowMs)) {
        const isFirst = pending === undefined
        const refreshed = refresh(nowMs)
        // With keys at hand one caller waits a moment for newer ones; while the endpoint is known to be down, nobody does.
        if (!isUsable) await refreshed
        else if (isFirst && !isDown) await waitAtMost(refreshWaitMs, refreshed)
      }
      if (held === undefined || !isWithin(graceMs, held.fetchedMs, nowMs)) throw new Refusal('keys_unavailable')
      const key = await pick(held.keys, header)
      if (key !== undefined) return key
      // A key that nobody has heard of may be one that the issuer has just begun to use.
      const before = held
      await refresh(nowMs)
      const rotated = held === before ? undefined : await pick(held.keys, header)
      if (rotated === undefined) throw new Refusal('unknown_key')
      return rotated
    },
  }
}

async function waitAtMost(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** A clock that was set back makes everything old rather than young for ever. */
function isWithin(spanMs: number, sinceMs: number, nowMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs < spanMs
}

/** Undefined where the header names no key of the set, or more than one. */
async function pick(keys: LocalJWKSet, header: CompactJWSHeaderParameters): Promise<CryptoKey | undefined> {
  try {
    return await keys(header)
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return undefined
    // A member of the set that cannot be imported, named by this header: as good as none.
    if (error instanceof errors.JOSEError || error instanceof DOMException) return undefined
    throw error
  }
}

class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError'
}

function problemOf(error: unknown): string {
  if (error instanceof EndpointError) return error.code
  if (error instanceof DiscoveryError) return error.message
  if (error instanceof errors.JOSEError) return 'its key set is malformed'
  throw error
}

async function loadKeys(options: IssuerOptions, timeoutMs: number): Promise<LocalJWKSet> {
  if (options.readKeys !== undefined) return parseKeySet(readHere(options.readKeys))
  const url = options.jwksUri ?? (await discoverJwksUri(options, timeoutMs))
  const { status, json } = await get(options, url, timeoutMs)
  if (status !== 200) throw new DiscoveryError(`its key set is answered with ${status}`)
  return parseKeySet(json)
}

function readHere(readKeys: () => unknown): unknown {
  try {
    return readKeys()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new DiscoveryError('its key file cannot be read')
  }
}

function parseKeySet(json: unknown): LocalJWKSet {
  // jose judges the value itself, and throws JWKSInvalid for anything that is not a set of keys.
  return createLocalJWKSet(json as Parameters<typeof createLocalJWKSet>[0])
}

/** RFC 8414 §3.1 first, then OpenID Connect Discovery §4. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

async function discoverJwksUri(options: IssuerOptions, timeoutMs: number): Promise<string> {
  const [first = '', second = ''] = metadataUrls(options.issuer)
  const found = await getMetadata(options, first, timeoutMs)
  const { issuer, jwks_uri } = found ?? (await getMetadata(options, second, timeoutMs)) ?? {}
  // RFC 8414 §3.3: a document that speaks for another issuer must not be used.
  if (issuer !== options.issuer) throw new DiscoveryError('it has no metadata of its own name')
  if (typeof jwks_uri !== 'string' || !isSecureUrl(jwks_uri))
    throw new DiscoveryError('its metadata names no secure jwks_uri')
  return jwks_uri
}

/** Undefined where there is none at this place. */
async function getMetadata(
  options: IssuerOptions,
  url: string,
  timeoutMs: number,
): Promise<Record<string, unknown> | undefined> {
  try {
    const { status, json } = await get(options, url, timeoutMs)
    return status === 200 && isJsonObject(json) ? json : undefined
  } catch (error) {
    // Many servers answer an unknown path with a page or a redirect.
    if (error instanceof EndpointError && !error.retry) return undefined
    throw error
  }
}

function get({ fetch, signal }: IssuerOptions, url: string, timeoutMs: number) {
  return fetchJson(fetch, { url, method: 'GET', headers: {}, timeoutMs, signal })
}

import { isJsonObject } from './claims.ts'
import { authenticateClient, type ClientCredentials } from './client-authentication.ts'
import { type EndpointAnswer, EndpointError, type EndpointRequest } from './fetch-json.ts'
import { Refusal } from './refusal-code.ts'

/**
 * Asks an authorization server what a token means that nobody else can read (RFC 7662). It learns every opaque token that
 * comes by, whoever made it, which is why one is asked and not several in turn.
 */
export interface IntrospectionOptions extends ClientCredentials {
  endpoint: string
  /** How long an answer counts at most: a token that is revoked meanwhile goes on counting for so long. */
  cacheMs: number
}

export interface Introspect {
  /** What an active token claims, none of it judged yet. Throws Refusal. */
  (token: string, nowMs: number): Promise<Record<string, unknown>>
  cacheMs: number
}

const timeoutMs = 5_000
/** An endpoint that is down is left alone for so long. */
const pauseMs = 5_000
/** Each waits for the endpoint at most timeoutMs; more at once would only queue there. */
const underWayMax = 64

export function createIntrospect(
  options: IntrospectionOptions,
  send: (request: Omit<EndpointRequest, 'signal'>) => Promise<EndpointAnswer>,
): Introspect {
  let downMs = Number.NEGATIVE_INFINITY
  let underWay = 0
  const introspect = async (token: string, nowMs: number) => {
    const isDown = nowMs >= downMs && nowMs - downMs < pauseMs
    if (isDown || underWay >= underWayMax) throw new Refusal('introspection_unavailable')
    underWay++
    try {
      return parseAnswer(await ask(options, send, token))
    } catch (error) {
      if (error instanceof Refusal && error.code === 'introspection_unavailable') downMs = nowMs
      throw error
    } finally {
      underWay--
    }
  }
  return Object.assign(introspect, { cacheMs: options.cacheMs })
}

async function ask(
  options: IntrospectionOptions,
  send: (request: Omit<EndpointRequest, 'signal'>) => Promise<EndpointAnswer>,
  token: string,
): Promise<EndpointAnswer> {
  const form = new URLSearchParams({ token, token_type_hint: 'access_token' })
  const headers = authenticateClient(options, form)
  if (headers === undefined) throw new Refusal('introspection_misconfigured')
  try {
    return await send({ url: options.endpoint, method: 'POST', headers, body: form.toString(), timeoutMs })
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error
    throw new Refusal(error.retry ? 'introspection_unavailable' : 'introspection_malformed')
  }
}

/** Errors by which some servers say that this cannot be a token of theirs, where RFC 7662 §2.2 has `active: false`. */
const noTokenOfTheirs: readonly unknown[] = ['unsupported_token_type', 'invalid_request']

/** RFC 7662 §2.2, §2.3. Of a token that is not active the server says nothing else, and neither do we. */
function parseAnswer({ status, json }: EndpointAnswer): Record<string, unknown> {
  if (status === 429 || status >= 500) throw new Refusal('introspection_unavailable')
  if (status === 400 && isJsonObject(json) && noTokenOfTheirs.includes(json.error)) throw new Refusal('token_inactive')
  if (status !== 200) throw new Refusal('introspection_misconfigured')
  if (!isJsonObject(json) || typeof json.active !== 'boolean') throw new Refusal('introspection_malformed')
  if (!json.active) throw new Refusal('token_inactive')
  return json
}

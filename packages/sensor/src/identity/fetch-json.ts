/** JSON from an authorization server: bounded in time and size, over TLS or loopback, without redirects. */

/** The part of fetch that is used; tests pass their own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface EndpointRequest {
  url: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  timeoutMs: number
  /** Gives up when the gateway ends. */
  signal: AbortSignal
}

export interface EndpointAnswer {
  status: number
  /** Undefined where it is none, which only an answer other than 200 may be. */
  json: unknown
}

export type EndpointErrorCode = 'insecure' | 'unreachable' | 'timeout' | 'redirect' | 'too_large' | 'not_json'

/** An endpoint that could not be asked, or whose answer cannot be read. The message never quotes the answer. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError'
  readonly code: EndpointErrorCode
  readonly retry: boolean

  constructor(code: EndpointErrorCode, url: string) {
    super(`${new URL(url).origin}: ${code}`)
    this.code = code
    this.retry = code === 'unreachable' || code === 'timeout'
  }
}

const answerBytesMax = 256 * 1024

/** Keys and secrets travel here: TLS, or nothing that leaves the machine (RFC 8414 §3, RFC 6749 §3.2). */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(hostname))
}

/** Throws EndpointError. */
export async function fetchJson(fetch: Fetch, request: EndpointRequest): Promise<EndpointAnswer> {
  if (!isSecureUrl(request.url)) throw new EndpointError('insecure', request.url)
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)])
  const response = await sendOnceMore(fetch, request, signal)
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel()
    throw new EndpointError('redirect', request.url)
  }
  const text = await readBody(response, request.url)
  return { status: response.status, json: parseAnswer(text, response.status, request.url) }
}

/**
 * A kept-alive connection that the server closed meanwhile fails before it was of use, so what failed at once is sent once
 * more. Nothing is sent here that would harm when it arrives twice.
 */
async function sendOnceMore(fetch: Fetch, request: EndpointRequest, signal: AbortSignal): Promise<Response> {
  try {
    return await send(fetch, request, signal)
  } catch (error) {
    if (!(error instanceof EndpointError) || error.code !== 'unreachable') throw error
    return send(fetch, request, signal)
  }
}

async function send(fetch: Fetch, request: EndpointRequest, signal: AbortSignal): Promise<Response> {
  const { url, method, headers, body } = request
  try {
    return await fetch(url, {
      method,
      headers: { accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal,
    })
  } catch (error) {
    throw toEndpointError(error, url)
  }
}

async function readBody(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > answerBytesMax) throw new EndpointError('too_large', url)
    }
  } catch (error) {
    throw toEndpointError(error, url)
  }
  return Buffer.concat(chunks).toString()
}

/** Failures are often told by a page of whatever stands in front of the server: then the status has to do. */
function parseAnswer(text: string, status: number, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    if (status === 200) throw new EndpointError('not_json', url)
    return undefined
  }
}

function toEndpointError(error: unknown, url: string): unknown {
  if (error instanceof EndpointError || !(error instanceof Error)) return error
  return new EndpointError(error.name === 'TimeoutError' ? 'timeout' : 'unreachable', url)
}

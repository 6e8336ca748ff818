import { isJsonObject } from '../../identity/claims.ts'

/** What an SDK's transport says of the HTTP request a message came with. */
export interface MessageExtra {
  /** Value of a header field, its name in lower case. */
  header(name: string): string | undefined
  /** Who the server's own verifier says was behind the token. */
  auth: AuthFacts | undefined
  /** Whether the client is gone. Asked of per-request transports alone: to others the question makes a new Request. */
  isAborted(): boolean
}

export interface AuthFacts {
  token: string
  clientId: string | undefined
}

const none: MessageExtra = { header: () => undefined, auth: undefined, isAborted: () => false }

/** Of 1.x `requestInfo.headers`, a plain object; of 2.x `request`, a Request of the web, by whoever's class. */
export function parseExtra(extra: unknown): MessageExtra {
  if (!isJsonObject(extra)) return none
  const { request, requestInfo, authInfo } = extra
  const fields = isJsonObject(request) && 'headers' in request ? (request.headers as Partial<Headers>) : undefined
  const plain = isJsonObject(requestInfo) && isJsonObject(requestInfo.headers) ? requestInfo.headers : undefined
  return {
    header: (name) => fields?.get?.(name) ?? textOf(plain?.[name]),
    auth: toAuthFacts(authInfo),
    isAborted: () => isJsonObject(request) && isJsonObject(request.signal) && request.signal.aborted === true,
  }
}

function toAuthFacts(value: unknown): AuthFacts | undefined {
  if (!isJsonObject(value) || typeof value.token !== 'string') return undefined
  return { token: value.token, clientId: typeof value.clientId === 'string' ? value.clientId : undefined }
}

function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' ? first : undefined
}

import { isJsonObject } from './claims.ts'
import { EndpointError, type Fetch, fetchJson, isSecureUrl } from './fetch-json.ts'
import { systemCodeOf } from './proc-stat.ts'
import { readBounded } from './read-bounded.ts'

/** Where a process gets the token that says on whose behalf it runs. */
export interface TokenSupply {
  /** Where it comes from, as records name it. */
  name: string
  /** Whether asking again may give another one. */
  canRenew: boolean
  /** Throws SupplyError. */
  read(signal: AbortSignal): Promise<string>
}

/** Why there is no token. The code is a word of ours or the system's; nothing that was read is in it. */
export class SupplyError extends Error {
  override readonly name = 'SupplyError'
  readonly code: string

  constructor(code: string) {
    super(`no token: ${code}`)
    this.code = code
  }
}

const tokenBytesMax = 64 * 1024
const endpointTimeoutMs = 5_000

/** A process sees the environment that it was started with: what is set there later, it never sees. */
export function supplyFromEnv(variable: string, env: NodeJS.ProcessEnv): TokenSupply {
  return {
    name: `environment variable ${variable}`,
    canRenew: false,
    async read() {
      const token = env[variable]?.trim() ?? ''
      if (token === '') throw new SupplyError('not_set')
      return token
    },
  }
}

/** Files are replaced when their token is, as Kubernetes does with those it projects. */
export function supplyFromFile(path: string): TokenSupply {
  return {
    name: `file ${path}`,
    canRenew: true,
    async read() {
      const token = (await readTokenFile(path)).trim()
      if (token === '') throw new SupplyError('empty')
      return token
    },
  }
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return (await readBounded(path, tokenBytesMax)).text
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    throw new SupplyError(code)
  }
}

/** The token endpoint that GitHub gives to jobs with the permission `id-token: write`. */
export function supplyFromGithub(audience: string, env: NodeJS.ProcessEnv, fetch: Fetch): TokenSupply {
  return {
    name: 'GitHub Actions token endpoint',
    canRenew: true,
    async read(signal) {
      const { ACTIONS_ID_TOKEN_REQUEST_URL: address = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer = '' } = env
      if (address === '' || bearer === '') throw new SupplyError('no_permission')
      if (!isSecureUrl(address)) throw new SupplyError('insecure')
      const url = new URL(address)
      url.searchParams.set('audience', audience)
      const headers = { authorization: `bearer ${bearer}`, accept: 'application/json; api-version=2.0' }
      return askForToken(fetch, { url: url.href, method: 'GET', headers, timeoutMs: endpointTimeoutMs, signal })
    },
  }
}

async function askForToken(fetch: Fetch, request: Parameters<typeof fetchJson>[1]): Promise<string> {
  try {
    const { status, json } = await fetchJson(fetch, request)
    if (status !== 200) throw new SupplyError(`status_${status}`)
    if (!isJsonObject(json) || typeof json.value !== 'string' || json.value === '') throw new SupplyError('no_token')
    return json.value
  } catch (error) {
    if (error instanceof EndpointError) throw new SupplyError(error.code)
    throw error
  }
}

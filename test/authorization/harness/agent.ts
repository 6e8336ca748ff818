import {
  Client, type OAuthClientMetadata, type OAuthClientProvider, type OAuthDiscoveryState, type StoredOAuthClientInformation,
  type StoredOAuthTokens, StreamableHTTPClientTransport, UnauthorizedError,
} from '@modelcontextprotocol/client' // biome-ignore format: one list

/** The official client, with the authorization flow that it has built in and a person who approves everything. */
export interface Agent {
  client: Client
  /** The tokens it was given. */
  tokens: string[]
  close(): Promise<void>
}

const redirectUrl = 'http://127.0.0.1:9/callback'

export async function connectAgent(url: string): Promise<Agent> {
  const tokens: string[] = []
  let registered: StoredOAuthClientInformation | undefined
  let current: StoredOAuthTokens | undefined
  let discovered: OAuthDiscoveryState | undefined
  let verifier = ''
  let approved: URLSearchParams | undefined
  const clientMetadata: OAuthClientMetadata = {
    client_name: 'agent',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  const authProvider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata,
    clientInformation: () => registered,
    saveClientInformation: (information) => {
      registered = information
    },
    tokens: () => current,
    saveTokens: (given) => {
      current = given
      tokens.push(given.access_token)
    },
    redirectToAuthorization: async (authorizationUrl) => {
      approved = await approve(authorizationUrl)
    },
    saveCodeVerifier: (codeVerifier) => {
      verifier = codeVerifier
    },
    codeVerifier: () => verifier,
    saveDiscoveryState: (state) => {
      discovered = state
    },
    discoveryState: () => discovered,
  }
  const connect = async () => {
    const client = new Client({ name: 'agent', version: '1.0.0' })
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider })
    try {
      await client.connect(transport)
      return client
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || approved === undefined) throw error
      await transport.finishAuth(approved)
      return undefined
    }
  }
  // The first attempt is sent to the authorization server, the second one has a token.
  const client = (await connect()) ?? (await connect())
  if (client === undefined) throw new Error('no token after authorization')
  return { client, tokens, close: () => client.close() }
}

/** What a browser does: follows redirects with cookies until the client's own address comes. */
async function approve(authorizationUrl: URL): Promise<URLSearchParams> {
  const cookies = new Map<string, string>()
  let next = authorizationUrl.href
  for (let hops = 0; hops < 10; hops++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(next, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${next} ended with ${response.status}: ${await response.text()}`)
    next = new URL(location, next).href
    if (next.startsWith(redirectUrl)) return new URL(next).searchParams
  }
  throw new Error('too many redirects')
}

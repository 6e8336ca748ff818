import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, type JWK, jwtVerify } from 'jose'
import Provider, { errors, type InteractionResults, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider'

/**
 * A real authorization server on loopback: resource indicators, JWT access tokens, client credentials, authorization code for
 * clients that register themselves, and token exchange (RFC 8693) as a grant of its own. Setup comes by the environment;
 * `{ keys }` on the channel replaces its signing keys. People approve everything, and their name is alice.
 */
interface Setup {
  port: number
  keys: JWK[]
  /** Of the client that exchanges tokens, at `affidavit`. */
  secret: string
}

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const resourceServer: Omit<ResourceServer, 'audience'> = {
  scope: 'crm.read crm.write',
  accessTokenFormat: 'jwt',
  accessTokenTTL: 600,
  jwt: { sign: { alg: 'ES256' } },
}

/** Tokens for resources with this query are opaque, which only the server itself can read. */
const formOf = (resource: string) =>
  resource.endsWith('?opaque') ? ({ ...resourceServer, accessTokenFormat: 'opaque' } as const) : resourceServer

const setup: Setup = JSON.parse(process.env.ISSUER_SETUP ?? '{}')
let handle: ReturnType<Provider['callback']> = async (_request, response) => void response.end()
const server = createServer((request, response) => void handle(request, response))
server.listen(setup.port, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  handle = createProvider(issuer, setup.keys).callback()
  process.on('message', ({ keys }: { keys: JWK[] }) => {
    handle = createProvider(issuer, keys).callback()
    process.send?.({ rotated: true })
  })
  process.send?.({ issuer, clockTolerance: 60 })
})
process.on('disconnect', () => process.exit(0))

function createProvider(issuer: string, keys: JWK[]): Provider {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: 'affidavit',
        client_secret: setup.secret,
        grant_types: [exchangeGrant, 'client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'batch-job',
        client_secret: 'the-secret-of-the-batch-job-0123456789',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['openid', 'offline_access', 'crm.read', 'crm.write'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      registration: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({ ...formOf(resource), audience: resource }),
      },
    },
    pkce: { required: () => true },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    extraTokenClaims: (ctx) => (isExchange(ctx) ? { act: { sub: ctx.oidc.client?.clientId } } : undefined),
  })
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next()
    ctx.respond = false
    return approve(provider, ctx)
  })
  provider.registerGrantType(exchangeGrant, (ctx) => exchange(provider, ctx, keys), [
    'subject_token',
    'subject_token_type',
    'requested_token_type',
    'audience',
    'resource',
    'scope',
  ])
  return provider
}

const isExchange = (ctx: KoaContextWithOIDC) => ctx.oidc.params?.grant_type === exchangeGrant

async function approve(provider: Provider, ctx: Pick<KoaContextWithOIDC, 'req' | 'res'>): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res)
  const finish = (result: InteractionResults) => provider.interactionFinished(ctx.req, ctx.res, result)
  if (prompt.name === 'login') return finish({ login: { accountId: 'alice' } })
  const grant = new provider.Grant({ accountId: session?.accountId ?? 'alice', clientId: String(params.client_id) })
  grant.addOIDCScope('openid offline_access crm.read crm.write')
  const { resource } = params
  for (const each of [resource].flat()) if (typeof each === 'string') grant.addResourceScope(each, 'crm.read crm.write')
  return finish({ consent: { grantId: await grant.save() } })
}

async function exchange(provider: Provider, ctx: KoaContextWithOIDC, keys: JWK[]): Promise<void> {
  const { client, params } = ctx.oidc
  const { subject_token: subject, subject_token_type: type, audience, resource, scope } = params ?? {}
  if (client === undefined || type !== accessTokenType) throw new errors.InvalidRequest('subject_token_type')
  const { payload } = await verifySubject(String(subject), provider.issuer, keys)
  const target = String(audience ?? resource)
  const token = new provider.AccessToken({
    client,
    accountId: String(payload.sub),
    grantId: 'exchange',
    gty: 'token_exchange',
    ...(scope === undefined ? {} : { scope: String(scope) }),
    resourceServer: new provider.ResourceServer(target, { ...resourceServer, audience: target }),
  })
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: accessTokenType,
    token_type: 'Bearer',
    expires_in: token.expiration,
  }
}

async function verifySubject(token: string, issuer: string, keys: JWK[]) {
  try {
    const published = keys.map(({ d: _, ...key }) => key)
    return await jwtVerify(token, createLocalJWKSet({ keys: published }), { issuer, clockTolerance: 60 })
  } catch (error) {
    throw new errors.InvalidGrant(`subject_token: ${String(error)}`)
  }
}

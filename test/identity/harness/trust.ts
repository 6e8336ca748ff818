import { authorizationSchema, toGuardOptions } from '../../../packages/sensor/src/cli/gateway-authorization.ts'
import { gatewayIdentitySchema, toIdentityTrust } from '../../../packages/sensor/src/cli/identity-config.ts'
import type { GuardRequest } from '../../../packages/sensor/src/identity/admission.ts'
import {
  type CredentialObserver,
  createCredentialObserver,
} from '../../../packages/sensor/src/identity/credential-observer.ts'
import type { Fetch } from '../../../packages/sensor/src/identity/fetch-json.ts'
import { createResourceGuard, type ResourceGuard } from '../../../packages/sensor/src/identity/resource-guard.ts'
import { digest, redact, resource } from '../../authorization/harness/guard.ts'
import type { Issuer } from '../../authorization/harness/issuer.ts'
import type { KeyServer } from './key-server.ts'

export { digest, resource }

/** Of which the test's issuer makes opaque tokens. */
export const opaqueResource = `${resource}?opaque`

/** Every kind of issuer, as a configuration file would have them. */
export function trustedIssuers({ issuer }: Pick<Issuer, 'issuer'>, keys: KeyServer, changes: object = {}) {
  return [
    {
      issuer,
      audiences: [resource, opaqueResource],
      introspection: {
        endpoint: `${issuer}/token/introspection`,
        clientId: 'affidavit',
        clientSecret: { env: 'CRM_CLIENT_SECRET' },
        ...changes,
      },
    },
    {
      issuer: keys.issuerOf('github'),
      kind: 'github-actions',
      audiences: [resource],
      claims: { repository: 'acme/crm', ref: ['refs/heads/main', 'refs/tags/v*'] },
      role: { value: 'deployer' },
    },
    {
      issuer: keys.issuerOf('gitlab'),
      kind: 'gitlab-ci',
      audiences: [resource],
      claims: { project_path: 'acme/*' },
      role: { claim: 'environment' },
    },
    {
      issuer: keys.issuerOf('kubernetes'),
      kind: 'kubernetes',
      audiences: [resource],
      claims: { namespace: 'crm' },
      role: { claim: ['kubernetes.io', 'serviceaccount', 'name'] },
    },
  ]
}

interface Wiring {
  secret: string
  fetch?: Fetch
  waitMaxMs?: number
}

/** As a gateway in mode inline has one. */
export function openObserver(issuers: object[], wiring: Wiring): { observer: CredentialObserver; said: string[] } {
  const said: string[] = []
  const trust = toIdentityTrust(gatewayIdentitySchema.parse({ issuers }), undefined, {
    CRM_CLIENT_SECRET: wiring.secret,
  })
  const observer = createCredentialObserver({
    ...trust,
    digest,
    redact,
    fetch: wiring.fetch ?? fetch,
    diagnose: (code, sentence) => said.push(`${code} ${sentence}`),
    ...(wiring.waitMaxMs === undefined ? {} : { waitMaxMs: wiring.waitMaxMs }),
  })
  return { observer, said }
}

/** As a gateway in mode resource has one, with a token endpoint that gives the gateway what it asks for. */
export function openGuard(issuers: object[], { issuer }: Pick<Issuer, 'issuer'>, wiring: Wiring): ResourceGuard {
  const config = authorizationSchema.parse({
    mode: 'resource',
    resource,
    issuers,
    upstream: {
      grant: 'client-credentials',
      tokenEndpoint: `${issuer}/token`,
      resource: 'https://crm.internal/mcp',
      clientId: 'affidavit',
      clientSecret: { env: 'CRM_CLIENT_SECRET' },
    },
  })
  const options = toGuardOptions(config, { CRM_CLIENT_SECRET: wiring.secret })
  if (options === undefined) throw new Error('mode inline has no guard')
  return createResourceGuard({ ...options, digest, redact, fetch: wiring.fetch ?? fetch, diagnose: () => undefined })
}

/** What a test sends: everything but the token has a usual value. */
export interface Sent {
  token: string
  scheme?: string
  proofs?: readonly string[]
  certificate?: string
  method?: string
  target?: string
}

export function toRequest(sent: Sent, nowMs: number = Date.now()): GuardRequest {
  const { token, scheme = 'Bearer', proofs = [], certificate, method = 'POST', target = '/mcp/crm' } = sent
  return {
    method,
    target,
    headers: [['Authorization', `${scheme} ${token}`], ...proofs.map((proof): [string, string] => ['DPoP', proof])],
    origins: () => [new URL(resource).origin],
    certificate: () => certificate,
    nowMs,
  }
}

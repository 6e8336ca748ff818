import { authorizationSchema, toGuardOptions } from '../../../packages/sensor/src/cli/gateway-authorization.ts'
import { createDigester } from '../../../packages/sensor/src/crypto/digester.ts'
import type { Admission } from '../../../packages/sensor/src/identity/admission.ts'
import type { Fetch } from '../../../packages/sensor/src/identity/fetch-json.ts'
import { createResourceGuard, type ResourceGuard } from '../../../packages/sensor/src/identity/resource-guard.ts'
import { createRedactor } from '../../../packages/sensor/src/redact/redactor.ts'
import type { Issuer } from './issuer.ts'

export const resource = 'https://gateway.example/mcp/crm'
export const upstreamResource = 'https://crm.internal/mcp'

const key = new Uint8Array(32).fill(7)
export const digest = createDigester(key)
export const redactor = createRedactor({ correlationKey: key })
export const redact = (text: string) => redactor.redactText(text).text

/** A guard as the configuration file would make it, which asks the real issuer. */
export function createGuard(
  { issuer, secret }: Pick<Issuer, 'issuer' | 'secret'>,
  changes: { block?: object; upstream?: object; fetch?: Fetch } = {},
): { guard: ResourceGuard; said: string[] } {
  const said: string[] = []
  const config = authorizationSchema.parse({
    mode: 'resource',
    resource,
    issuers: [{ issuer }],
    scopes: ['crm.read'],
    upstream: {
      grant: 'token-exchange',
      tokenEndpoint: `${issuer}/token`,
      audience: upstreamResource,
      clientId: 'affidavit',
      clientSecret: { env: 'CRM_CLIENT_SECRET' },
      ...changes.upstream,
    },
    ...changes.block,
  })
  const options = toGuardOptions(config, { CRM_CLIENT_SECRET: secret })
  if (options === undefined) throw new Error('mode inline has no guard')
  const guard = createResourceGuard({
    ...options,
    digest,
    redact,
    fetch: changes.fetch ?? fetch,
    diagnose: (code, sentence) => said.push(`${code} ${sentence}`),
  })
  return { guard, said }
}

/** What is the same in every request. */
export const asked = { method: 'POST', target: '/mcp/crm', origins: () => [] } as const

export function ask(guard: ResourceGuard, token: string | undefined, nowMs: number = Date.now()): Promise<Admission> {
  const headers: [string, string][] = token === undefined ? [] : [['Authorization', `Bearer ${token}`]]
  return guard.admit({ ...asked, headers, nowMs })
}

/** `admitted`, or the code of the refusal. */
export async function verdictOf(admission: Promise<Admission>): Promise<string> {
  const settled = await admission
  return settled.verdict === 'admitted' ? 'admitted' : settled.code
}

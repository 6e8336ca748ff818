import { z } from 'zod'
import type { ResourceGuardOptions } from '../identity/resource-guard.ts'
import { readSecret, resolveSecretSource, secretSource } from './secret-source.ts'
import {
  algorithms, audiences, clockSkewSeconds, issuers, readSecretAgain, resolveIssuerFiles, secureUrl, toTrustOptions, typ,
} from './token-issuers.ts' // biome-ignore format: one list

/** The block `authorization` of an upstream in affidavit.yaml (docs/AUTHORIZATION.md). */

const what = 'client secret'

/** RFC 6749 §3.3: printable ASCII without spaces, quotes and backslashes. It goes into headers. */
const scope = z
  .string()
  .regex(/^[!#-[\]-~]{1,128}$/, 'a scope is printable ASCII without spaces, quotes and backslashes')
const scopes = z.array(scope).max(64)
/** RFC 9728 §1.2 asks for no fragment, RFC 3986 percent-encodes quotes; a query would part path and metadata. */
const resource = secureUrl.refine(
  (text) =>
    !/[?#]/.test(text) && URL.canParse(text) && new URL(text).href.replace(/\/$/, '') === text.replace(/\/$/, ''),
  'must be written as a client would send it: no query, no fragment, host in lower case, no default port',
)

const upstreamGrant = z.strictObject({
  grant: z.enum(['token-exchange', 'client-credentials']),
  tokenEndpoint: secureUrl,
  audience: z.string().min(1).max(1024).optional(),
  resource: z.string().min(1).max(1024).optional(),
  scopes: scopes.optional(),
  clientId: z.string().min(1).max(256),
  clientSecret: secretSource,
  clientAuthentication: z.enum(['basic', 'post']).default('basic'),
})

const inlineSchema = z.strictObject({
  mode: z.literal('inline'),
  audiences: audiences.optional().describe('for whom tokens are that come here, instead of what identity says'),
})

/** Anybody may run jobs at a public issuer, and name any audience. */
const open = ['github-actions', 'gitlab-ci']

const resourceSchema = z.strictObject({
  mode: z.literal('resource'),
  resource,
  issuers: issuers.superRefine((all, context) => {
    for (const [i, { kind, claims = {} }] of all.entries())
      if (open.includes(kind) && Object.keys(claims).length === 0)
        context.addIssue({
          code: 'custom',
          path: [i, 'claims'],
          message: 'must say which jobs are meant, such as repository: acme/crm; else those of everybody are admitted',
        })
  }),
  scopes: scopes.default([]),
  audiences: audiences.optional(),
  algorithms: algorithms.optional(),
  typ: typ.default('at+jwt'),
  clockSkewSeconds: clockSkewSeconds.default(30),
  upstream: upstreamGrant,
})

export const authorizationSchema = z.discriminatedUnion('mode', [inlineSchema, resourceSchema])
export type AuthorizationConfig = z.infer<typeof authorizationSchema>

/** The same block with its files named from the root; `folder` is the configuration file's. */
export function resolveSecretFile(config: AuthorizationConfig, folder: string): AuthorizationConfig {
  if (config.mode === 'inline') return config
  const clientSecret = resolveSecretSource(config.upstream.clientSecret, folder)
  const issuers = resolveIssuerFiles(config.issuers, folder)
  return { ...config, issuers, upstream: { ...config.upstream, clientSecret } }
}

/**
 * Options of the guard that this block asks for; undefined for `inline`. Throws UsageError `AFD_SECRET_UNREADABLE` where the
 * client secret cannot be read now, so that it is told before the first call needs it.
 */
export function toGuardOptions(
  config: AuthorizationConfig,
  env: NodeJS.ProcessEnv,
): Omit<ResourceGuardOptions, 'digest' | 'redact' | 'fetch' | 'diagnose'> | undefined {
  if (config.mode === 'inline') return undefined
  const { upstream, audiences = [config.resource], algorithms, typ, clockSkewSeconds } = config
  const { clientSecret, audience, resource: target, scopes: wanted, ...grant } = upstream
  readSecret(clientSecret, env, what)
  return {
    resource: config.resource,
    scopes: config.scopes,
    ...toTrustOptions(config.issuers, { audiences, algorithms, typ, clockSkewSeconds }, env),
    upstream: {
      ...grant,
      ...(audience === undefined ? {} : { audience }),
      ...(target === undefined ? {} : { resource: target }),
      ...(wanted === undefined ? {} : { scopes: wanted }),
      clientSecret: () => readSecretAgain(clientSecret, env, what),
    },
  }
}

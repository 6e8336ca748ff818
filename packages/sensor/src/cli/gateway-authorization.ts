import { z } from 'zod'
import { signatureAlgorithms } from '../identity/access-token.ts'
import { isSecureUrl } from '../identity/fetch-json.ts'
import type { ResourceGuardOptions } from '../identity/resource-guard.ts'
import { diagnose } from './diagnostics.ts'
import { readSecret, resolveSecretSource, type SecretSource, secretSource } from './secret-source.ts'
import { UsageError } from './usage-error.ts'

/** The block `authorization` of an upstream in affidavit.yaml (docs/AUTHORIZATION.md). */

const what = 'client secret'

const secureUrl = z
  .string()
  .refine(isSecureUrl, 'must be an https URL without credentials (http only for an address of this machine)')
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

const inlineSchema = z.strictObject({ mode: z.literal('inline') })

const resourceSchema = z.strictObject({
  mode: z.literal('resource'),
  resource,
  issuers: z
    .array(z.strictObject({ issuer: secureUrl, jwksUri: secureUrl.optional() }))
    .min(1)
    .max(16)
    .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, 'names an issuer twice'),
  scopes: scopes.default([]),
  audiences: z.array(z.string().min(1).max(1024)).min(1).max(16).optional(),
  algorithms: z.array(z.enum(signatureAlgorithms)).min(1).optional(),
  typ: z.enum(['at+jwt', 'any']).default('at+jwt'),
  clockSkewSeconds: z.int().min(0).max(300).default(30),
  upstream: upstreamGrant,
})

export const authorizationSchema = z.discriminatedUnion('mode', [inlineSchema, resourceSchema])
export type AuthorizationConfig = z.infer<typeof authorizationSchema>

/** The same block with the secret's file named from the root; `folder` is the configuration file's. */
export function resolveSecretFile(config: AuthorizationConfig, folder: string): AuthorizationConfig {
  if (config.mode === 'inline') return config
  const clientSecret = resolveSecretSource(config.upstream.clientSecret, folder)
  return { ...config, upstream: { ...config.upstream, clientSecret } }
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
  const { issuers, upstream, audiences, algorithms, clockSkewSeconds, mode: _, ...kept } = config
  const { clientSecret, audience, resource: target, scopes: wanted, ...grant } = upstream
  readSecret(clientSecret, env, what)
  return {
    ...kept,
    issuers: issuers.map(({ issuer, jwksUri }) => ({ issuer, ...(jwksUri === undefined ? {} : { jwksUri }) })),
    audiences: audiences ?? [config.resource],
    algorithms: algorithms ?? signatureAlgorithms,
    skewMs: clockSkewSeconds * 1000,
    upstream: {
      ...grant,
      ...(audience === undefined ? {} : { audience }),
      ...(target === undefined ? {} : { resource: target }),
      ...(wanted === undefined ? {} : { scopes: wanted }),
      clientSecret: () => readSecretAgain(clientSecret, env),
    },
  }
}

/** Secrets are rotated while a gateway runs: each exchange reads anew, and one that cannot is refused. */
function readSecretAgain(source: SecretSource, env: NodeJS.ProcessEnv): string | undefined {
  try {
    return readSecret(source, env, what)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    diagnose(error.code, `${error.message}. ${error.remedy}`)
    return undefined
  }
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { signatureAlgorithms } from '../identity/access-token.ts'
import { isSecureUrl } from '../identity/fetch-json.ts'
import type { ResourceGuardOptions } from '../identity/resource-guard.ts'
import { diagnose } from './diagnostics.ts'
import { UsageError } from './usage-error.ts'

/** The block `authorization` of an upstream in affidavit.yaml (docs/AUTHORIZATION.md). */

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

const secret = z.union(
  [
    z.strictObject({
      env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable'),
    }),
    z.strictObject({ file: z.string().min(1) }),
  ],
  'must be { env: NAME } or { file: PATH }: a secret has no place in a configuration file',
)

const upstreamGrant = z.strictObject({
  grant: z.enum(['token-exchange', 'client-credentials']),
  tokenEndpoint: secureUrl,
  audience: z.string().min(1).max(1024).optional(),
  resource: z.string().min(1).max(1024).optional(),
  scopes: scopes.optional(),
  clientId: z.string().min(1).max(256),
  clientSecret: secret,
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
  if (config.mode === 'inline' || !('file' in config.upstream.clientSecret)) return config
  const clientSecret = { file: resolve(folder, config.upstream.clientSecret.file) }
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
  readSecret(clientSecret, env)
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

type SecretSource = z.infer<typeof secret>

const secretBytesMax = 4096

function readSecret(source: SecretSource, env: NodeJS.ProcessEnv): string {
  if ('env' in source) {
    const value = env[source.env] ?? ''
    if (value === '') throw unreadable(`the environment variable ${source.env} is not set`, 'Set it.')
    return value
  }
  const path = source.file
  const value = readSecretFile(path).replace(/\r?\n$/, '')
  if (value === '') throw unreadable(`${path} is empty`, 'Write the client secret into it.')
  if (value.length > secretBytesMax) throw unreadable(`${path} is too long for a secret`, 'Check its path.')
  return value
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw unreadable(`${path} cannot be read (${code})`, 'Check its path and permissions.')
  }
}

/** Secrets are rotated while a gateway runs: each exchange reads anew, and one that cannot is refused. */
function readSecretAgain(source: SecretSource, env: NodeJS.ProcessEnv): string | undefined {
  try {
    return readSecret(source, env)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    diagnose(error.code, `${error.message}. ${error.remedy}`)
    return undefined
  }
}

function unreadable(problem: string, remedy: string): UsageError {
  return new UsageError('AFD_SECRET_UNREADABLE', `client secret: ${problem}`, remedy)
}

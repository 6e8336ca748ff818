import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { isSecureUrl } from '../identity/fetch-json.ts'
import type { IssuerOptions, TrustOptions } from '../identity/open-trust.ts'
import { tokenKinds, usualReading } from '../identity/token-kind.ts'
import { signatureAlgorithms } from '../identity/token-trust.ts'
import { diagnose } from './diagnostics.ts'
import { resolveRole, roleSchema, toRoleRule } from './role-config.ts'
import { readSecret, resolveSecretSource, type SecretSource, secretSource } from './secret-source.ts'
import { UsageError } from './usage-error.ts'

/** Issuers of tokens in configuration files, of `identity` and of an upstream in mode `resource` (docs/IDENTITY.md). */

export const secureUrl = z
  .string()
  .refine(isSecureUrl, 'must be an https URL without credentials (http only for an address of this machine)')
const name = z.string().min(1).max(256)
export const audiences = z.array(z.string().min(1).max(1024)).min(1).max(16)
export const algorithms = z.array(z.enum(signatureAlgorithms)).min(1)
export const typ = z.enum(['at+jwt', 'any'])
export const clockSkewSeconds = z.int().min(0).max(300)

const introspection = z.strictObject({
  endpoint: secureUrl.describe('where opaque tokens are asked about (RFC 7662)'),
  clientId: name,
  clientSecret: secretSource,
  clientAuthentication: z.enum(['basic', 'post']).default('basic'),
  cacheSeconds: z.int().min(1).max(3600).default(60).describe('how long an answer counts at most'),
})

const issuer = z
  .strictObject({
    issuer: secureUrl.describe('as it stands in iss'),
    kind: z.enum(tokenKinds).default('oauth').describe('what else its tokens say, and how it is read'),
    jwksUri: secureUrl.optional().describe('where its keys are; found by discovery where this is not given'),
    jwksFile: z.string().min(1).optional().describe('its keys in a file, where nobody can be asked for them'),
    audiences: audiences.optional().describe('one of them must be among those the token is for'),
    algorithms: algorithms.optional(),
    typ: typ.optional().describe('whether tokens must call themselves at+jwt; default any but for kind oauth'),
    clockSkewSeconds: clockSkewSeconds.optional(),
    role: roleSchema.optional().describe('where the role comes from: a claim, this file, or a directory'),
    claims: z
      .record(name, z.union([name, z.array(name).min(1).max(64)]))
      .optional()
      .describe('what these claims must say; a final * stands for any rest'),
    introspection: introspection.optional(),
  })
  .refine(({ jwksUri, jwksFile }) => jwksUri === undefined || jwksFile === undefined, {
    message: 'has two places for the keys: keep one of jwksUri and jwksFile',
    path: ['jwksFile'],
  })

export const issuers = z
  .array(issuer)
  .min(1)
  .max(16)
  .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, 'names an issuer twice')
  .refine(
    (all) => all.filter(({ introspection }) => introspection !== undefined).length <= 1,
    'asks two issuers about opaque tokens: each would learn the tokens of the other',
  )

export type IssuerConfig = z.infer<typeof issuer>

/** What holds for all issuers of a block, where they say nothing else. */
export interface IssuerDefaults {
  audiences: readonly string[]
  algorithms?: readonly string[] | undefined
  typ?: IssuerOptions['typ'] | undefined
  clockSkewSeconds?: number | undefined
}

const clockSkewSecondsDefault = 30

/** The same issuers with their files named from the root; `folder` is the configuration file's. */
export function resolveIssuerFiles(all: readonly IssuerConfig[], folder: string): IssuerConfig[] {
  return all.map(({ jwksFile, role, introspection, ...rest }) => ({
    ...rest,
    ...(jwksFile === undefined ? {} : { jwksFile: resolve(folder, jwksFile) }),
    ...(role === undefined ? {} : { role: resolveRole(role, folder) }),
    ...(introspection === undefined
      ? {}
      : {
          introspection: {
            ...introspection,
            clientSecret: resolveSecretSource(introspection.clientSecret, folder),
          },
        }),
  }))
}

/**
 * What the issuers of a block are trusted with. Throws UsageError where a file or secret cannot be read now, so that it is
 * told before the first call needs it.
 */
export function toTrustOptions(
  all: readonly IssuerConfig[],
  defaults: IssuerDefaults,
  env: NodeJS.ProcessEnv,
): Pick<TrustOptions, 'issuers' | 'introspecting'> {
  const asked = all.find(({ introspection }) => introspection !== undefined)
  return {
    issuers: all.map((each) => toIssuerOptions(each, defaults)),
    ...(asked?.introspection === undefined
      ? {}
      : { introspecting: { issuer: asked.issuer, by: toIntrospectionOptions(asked.introspection, env) } }),
  }
}

function toIssuerOptions(config: IssuerConfig, defaults: IssuerDefaults): IssuerOptions {
  const { issuer, kind, jwksUri, jwksFile, role, claims = {} } = config
  if (jwksFile !== undefined) readKeyFile(jwksFile)
  const skewSeconds = config.clockSkewSeconds ?? defaults.clockSkewSeconds ?? clockSkewSecondsDefault
  return {
    issuer,
    kind,
    ...(jwksUri === undefined ? {} : { jwksUri }),
    ...(jwksFile === undefined ? {} : { readKeys: () => readKeyFile(jwksFile) }),
    audiences: config.audiences ?? defaults.audiences,
    algorithms: config.algorithms ?? defaults.algorithms ?? signatureAlgorithms,
    typ: config.typ ?? (kind === 'oauth' ? (defaults.typ ?? 'at+jwt') : 'any'),
    skewMs: skewSeconds * 1000,
    role: role === undefined ? usualReading.role : toRoleRule(role),
    claims: new Map(Object.entries(claims).map(([name, accepted]) => [name, [accepted].flat()])),
  }
}

function toIntrospectionOptions(config: NonNullable<IssuerConfig['introspection']>, env: NodeJS.ProcessEnv) {
  const { clientSecret, cacheSeconds, ...rest } = config
  const what = 'client secret for introspection'
  readSecret(clientSecret, env, what)
  return { ...rest, cacheMs: cacheSeconds * 1000, clientSecret: () => readSecretAgain(clientSecret, env, what) }
}

/** Secrets are rotated while a gateway runs: each request reads anew, and one that cannot is refused. */
export function readSecretAgain(source: SecretSource, env: NodeJS.ProcessEnv, what: string): string | undefined {
  try {
    return readSecret(source, env, what)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    diagnose(error.code, `${error.message}. ${error.remedy}`)
    return undefined
  }
}

/** Files of roles that these issuers name. */
export function directoriesOf(all: readonly IssuerConfig[]): string[] {
  return all.flatMap(({ role }) => (role !== undefined && 'directory' in role ? [role.directory] : []))
}

/** A key set (RFC 7517 §5); what is in it is judged where it is used. Throws UsageError. */
function readKeyFile(path: string): unknown {
  try {
    const keys: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) }).parse(keys)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it is no key set'
    throw new UsageError(
      'AFD_KEYS_UNREADABLE',
      `jwksFile ${path} cannot be used (${code})`,
      'It holds what the issuer answers at its jwks_uri: {"keys": [...]}.',
    )
  }
}

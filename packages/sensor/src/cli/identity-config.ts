import { resolve } from 'node:path'
import { z } from 'zod'
import { signatureAlgorithms } from '../identity/access-token.ts'
import { cloudProviders } from '../identity/cloud-metadata.ts'
import { isSecureUrl } from '../identity/fetch-json.ts'
import { secretSource } from './secret-source.ts'

/** The blocks `identity`, `environment` and `posture` of configuration files (docs/IDENTITY.md). */

const secureUrl = z
  .string()
  .refine(isSecureUrl, 'must be an https URL without credentials (http only for an address of this machine)')
const word = z.string().min(1).max(1024)
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')

export const identitySchema = z
  .strictObject({
    token: secretSource.optional().describe('where the token lies that says on whose behalf the client runs'),
    githubActions: z
      .strictObject({ audience: word })
      .optional()
      .describe('asks the token endpoint of GitHub Actions, which gives jobs a token for this audience'),
    issuers: z
      .array(
        z.strictObject({
          issuer: secureUrl,
          jwksUri: secureUrl.optional(),
          audiences: z.array(word).min(1).max(16),
          algorithms: z.array(z.enum(signatureAlgorithms)).min(1).optional(),
          clockSkewSeconds: z.int().min(0).max(300).default(30),
        }),
      )
      .min(1)
      .max(16)
      .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, 'names an issuer twice')
      .optional()
      .describe('whom to believe; without them everything the token says is claimed'),
  })
  .refine(({ token, githubActions }) => token === undefined || githubActions === undefined, {
    message: 'takes token or githubActions, not both',
  })

const place = z
  .union([z.strictObject({ env: variable }), z.strictObject({ file: word }), z.strictObject({ value: word.max(256) })])
  .optional()

export const environmentSchema = z.strictObject({
  region: place,
  zone: place,
  node: place,
  pod: place,
  namespace: place,
  container: place,
  image: place,
  cloud: z
    .strictObject({
      provider: z.enum(cloudProviders),
      endpoint: z
        .string()
        .regex(/^http:\/\/[A-Za-z0-9.[\]:-]{1,255}$/, 'must be http://HOST or http://HOST:PORT')
        .optional(),
      timeoutMs: z.int().min(50).max(10_000).optional(),
    })
    .optional()
    .describe('asks the metadata service of a cloud for region and zone; never asked otherwise'),
})

const posturePace = {
  everySeconds: z.int().min(1).max(86_400).default(60),
  maxAgeSeconds: z.int().min(1).max(2_592_000).optional().describe('older is stale; default three times everySeconds'),
}
export const postureSchema = z.union(
  [
    z.strictObject({ file: word, ...posturePace }),
    z.strictObject({ command: z.tuple([word], word), ...posturePace }),
    z.strictObject({ http: secureUrl, ...posturePace }),
  ],
  'must have one of file, command (program and arguments) and http (https, or http to this machine), and may have everySeconds and maxAgeSeconds',
)

export type IdentityConfig = z.infer<typeof identitySchema>
export type EnvironmentConfig = z.infer<typeof environmentSchema>
export type PostureConfig = z.infer<typeof postureSchema>

/** What the three blocks have in common between `run` and `gateway`. */
export interface SituationConfig {
  environment?: EnvironmentConfig | undefined
  posture?: PostureConfig | undefined
}

/** The same blocks with files named from the root; `folder` is the configuration file's. */
export function resolveSituation<T extends SituationConfig & { identity?: IdentityConfig | undefined }>(
  config: T,
  folder: string,
): T {
  const { environment, posture, identity } = config
  return {
    ...config,
    ...(environment === undefined ? {} : { environment: resolveFiles(environment, folder) }),
    ...(posture === undefined || !('file' in posture)
      ? {}
      : { posture: { ...posture, file: resolve(folder, posture.file) } }),
    ...(identity?.token === undefined || !('file' in identity.token)
      ? {}
      : { identity: { ...identity, token: { file: resolve(folder, identity.token.file) } } }),
  }
}

function resolveFiles(environment: EnvironmentConfig, folder: string): EnvironmentConfig {
  const { cloud, ...places } = environment
  const resolved = Object.entries(places).map(([member, source]) => [
    member,
    source !== undefined && 'file' in source ? { file: resolve(folder, source.file) } : source,
  ])
  return { ...Object.fromEntries(resolved), ...(cloud === undefined ? {} : { cloud }) }
}

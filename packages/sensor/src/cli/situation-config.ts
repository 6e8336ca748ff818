import { resolve } from 'node:path'
import { z } from 'zod'
import { cloudProviders } from '../identity/cloud-metadata.ts'
import { secureUrl } from './token-issuers.ts'

/** The blocks `environment` and `posture` of configuration files (docs/IDENTITY.md). */

const word = z.string().min(1).max(1024)
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')

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

export type EnvironmentConfig = z.infer<typeof environmentSchema>
export type PostureConfig = z.infer<typeof postureSchema>

/** The same for `run` and `gateway`. */
export interface SituationConfig {
  environment?: EnvironmentConfig | undefined
  posture?: PostureConfig | undefined
}

/** The same blocks with files named from the root; `folder` is the configuration file's. */
export function resolveSituation<T extends SituationConfig>(config: T, folder: string): T {
  const { environment, posture } = config
  return {
    ...config,
    ...(environment === undefined ? {} : { environment: resolveFiles(environment, folder) }),
    ...(posture === undefined || !('file' in posture)
      ? {}
      : { posture: { ...posture, file: resolve(folder, posture.file) } }),
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

import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { catalogueSchema, resolveCatalogue } from './catalogue-config.ts'
import { resolveIdentity, runIdentitySchema, toIdentityTrust } from './identity-config.ts'
import { policySchema, resolvePolicy } from './policy-config.ts'
import { effects, levels } from './run-options.ts'
import { environmentSchema, postureSchema, resolveSituation } from './situation-config.ts'
import { checkOwnIdentity } from './workload-api-config.ts'
import { loadYamlConfig, placeOf, readText } from './yaml-config.ts'

const configSchema = z.strictObject({
  server: z.string().min(1).max(256).optional(),
  level: z.enum(levels).optional(),
  failOpen: z.array(z.enum(effects)).optional(),
  catalogue: catalogueSchema.optional(),
  redact: z.strictObject({ patterns: z.string().min(1).optional() }).optional(),
  policy: policySchema
    .refine(({ approvals }) => approvals?.issuers === undefined, {
      message: 'stdio has no place where somebody could present a token: name approvers, who have keys',
      path: ['approvals', 'issuers'],
    })
    .optional(),
  limits: z.strictObject({ spoolBytes: z.int().min(1_048_576).optional() }).optional(),
  identity: runIdentitySchema.optional(),
  environment: environmentSchema.optional(),
  posture: postureSchema.optional(),
})

/** What a configuration file may say; the command line goes before it. `patterns` is an absolute path. */
export type RunConfig = z.infer<typeof configSchema>

const remedy =
  'Known are server, level, failOpen, catalogue, redact.patterns, policy (docs/POLICY.md), limits.spoolBytes, and identity, environment and posture (docs/IDENTITY.md).'

/** Throws UsageError, which names line, key and remedy. Secrets, files and bundles that it names are read too: a mistake there should tell now. */
export function loadRunConfig(path: string): RunConfig {
  const folder = dirname(resolve(path))
  const config = resolveSituation(loadYamlConfig(path, { schema: configSchema, remedy }), folder)
  const patterns = config.redact?.patterns
  const identity = config.identity === undefined ? undefined : resolveIdentity(config.identity, folder)
  if (identity !== undefined) {
    toIdentityTrust(identity, undefined, process.env)
    checkOwnIdentity((...keys) => placeOf(path, readText(path), keys), identity, process.env)
  }
  return {
    ...config,
    ...(config.catalogue === undefined ? {} : { catalogue: resolveCatalogue(config.catalogue, folder) }),
    ...(patterns === undefined ? {} : { redact: { patterns: resolve(folder, patterns) } }),
    ...(config.policy === undefined ? {} : { policy: resolvePolicy(config.policy, folder) }),
    ...(identity === undefined ? {} : { identity }),
  }
}

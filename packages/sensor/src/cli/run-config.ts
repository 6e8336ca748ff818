import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { policySchema, resolvePolicy } from './policy-config.ts'
import { effects, levels } from './run-options.ts'
import { resolveBundles } from './spiffe-config.ts'
import { checkOwnIdentity, ownSpiffeSchema, workloadApiSchema } from './workload-api-config.ts'
import { loadYamlConfig, placeOf, readText } from './yaml-config.ts'

const configSchema = z.strictObject({
  server: z.string().min(1).max(256).optional(),
  level: z.enum(levels).optional(),
  failOpen: z.array(z.enum(effects)).optional(),
  redact: z.strictObject({ patterns: z.string().min(1).optional() }).optional(),
  policy: policySchema.optional(),
  limits: z.strictObject({ spoolBytes: z.int().min(1_048_576).optional() }).optional(),
  identity: z
    .strictObject({ workloadApi: workloadApiSchema.optional(), spiffe: ownSpiffeSchema.optional() })
    .optional(),
})

/** What a configuration file may say; the command line goes before it. `patterns` is an absolute path. */
export type RunConfig = z.infer<typeof configSchema>

const remedy =
  'Known are server, level, failOpen, redact.patterns, policy (docs/POLICY.md), limits.spoolBytes and identity (docs/IDENTITY.md).'

/** Throws UsageError, which names line, key and remedy. Bundles that it names are read too. */
export function loadRunConfig(path: string): RunConfig {
  const config = loadYamlConfig(path, { schema: configSchema, remedy })
  const folder = dirname(resolve(path))
  const patterns = config.redact?.patterns
  const spiffe = config.identity?.spiffe
  const resolved: RunConfig = {
    ...config,
    ...(patterns === undefined ? {} : { redact: { patterns: resolve(folder, patterns) } }),
    ...(config.policy === undefined ? {} : { policy: resolvePolicy(config.policy, folder) }),
    ...(spiffe === undefined ? {} : { identity: { ...config.identity, spiffe: resolveBundles(spiffe, folder) } }),
  }
  if (resolved.identity !== undefined)
    checkOwnIdentity((...keys) => placeOf(path, readText(path), keys), resolved.identity, process.env)
  return resolved
}

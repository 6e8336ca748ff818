import { z } from 'zod'
import type { TrustOptions } from '../identity/open-trust.ts'
import { resolveSecretSource, secretSource } from './secret-source.ts'
import { resolveBundles, spiffeSchema } from './spiffe-config.ts'
import { type IssuerConfig, issuers, resolveIssuerFiles, toTrustOptions } from './token-issuers.ts'
import { ownSpiffeSchema, workloadApiSchema } from './workload-api-config.ts'

/** The block `identity` of configuration files: whose word about callers is taken, for the record (docs/IDENTITY.md). */

/** Audiences of their own, for there is nothing else to have them from. */
export const trustedIssuers = issuers.superRefine((all, context) => {
  for (const [i, { audiences }] of all.entries())
    if (audiences === undefined)
      context.addIssue({
        code: 'custom',
        path: [i, 'audiences'],
        message: 'must name for whom tokens are: one made for somebody else proves nothing here',
      })
})

/** Of a gateway: its callers bring their tokens and certificates. */
export const gatewayIdentitySchema = z
  .strictObject({ issuers: trustedIssuers.optional(), spiffe: spiffeSchema.optional() })
  .refine(({ issuers, spiffe }) => issuers !== undefined || spiffe !== undefined, 'has neither issuers nor spiffe')

/** Of `run`: its client was given a token before it started us, and presents it to nobody. */
export const runIdentitySchema = z
  .strictObject({
    token: secretSource.optional().describe('where the token lies that says on whose behalf the client runs'),
    githubActions: z
      .strictObject({ audience: z.string().min(1).max(1024) })
      .optional()
      .describe('asks the token endpoint of GitHub Actions, which gives jobs a token for this audience'),
    issuers: trustedIssuers.optional().describe('whom to believe; without them everything the token says is claimed'),
    workloadApi: workloadApiSchema.optional(),
    spiffe: ownSpiffeSchema.optional(),
  })
  .refine(({ token, githubActions }) => token === undefined || githubActions === undefined, {
    message: 'takes token or githubActions, not both',
  })

export type GatewayIdentityConfig = z.infer<typeof gatewayIdentitySchema>
export type RunIdentityConfig = z.infer<typeof runIdentitySchema>

/** The same block with files named from the root; `folder` is the configuration file's. */
export function resolveIdentity<T extends Partial<RunIdentityConfig>>(identity: T, folder: string): T {
  const { token, issuers, spiffe } = identity
  return {
    ...identity,
    ...(token === undefined ? {} : { token: resolveSecretSource(token, folder) }),
    ...(issuers === undefined ? {} : { issuers: resolveIssuerFiles(issuers, folder) }),
    ...(spiffe === undefined ? {} : { spiffe: resolveBundles(spiffe, folder) }),
  }
}

/** `audiences` of an upstream go before those of the issuers. Throws UsageError where a file or secret cannot be read. */
export function toIdentityTrust(
  { issuers = [] }: { issuers?: readonly IssuerConfig[] | undefined },
  audiences: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): Pick<TrustOptions, 'issuers' | 'introspecting'> {
  const own = issuers.map((each) => (audiences === undefined ? each : { ...each, audiences: [...audiences] }))
  return toTrustOptions(own, { audiences: [] }, env)
}

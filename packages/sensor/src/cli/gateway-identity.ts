import { z } from 'zod'
import type { TrustOptions } from '../identity/open-trust.ts'
import { issuers, resolveIssuerFiles, toTrustOptions } from './token-issuers.ts'

/** The block `identity` of affidavit.yaml: whose word about callers is taken, for the record (docs/IDENTITY.md). */
export const identitySchema = z.strictObject({
  issuers: issuers.superRefine((all, context) => {
    for (const [i, { audiences }] of all.entries())
      if (audiences === undefined)
        context.addIssue({
          code: 'custom',
          path: [i, 'audiences'],
          message: 'must name for whom tokens are: one made for somebody else proves nothing here',
        })
  }),
})

export type IdentityConfig = z.infer<typeof identitySchema>

export function resolveIdentity({ issuers }: IdentityConfig, folder: string): IdentityConfig {
  return { issuers: resolveIssuerFiles(issuers, folder) }
}

/** `audiences` of an upstream go before those of the issuers. Throws UsageError where a file or secret cannot be read. */
export function toIdentityTrust(
  { issuers }: IdentityConfig,
  audiences: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): Pick<TrustOptions, 'issuers' | 'introspecting'> {
  const own = issuers.map((each) => (audiences === undefined ? each : { ...each, audiences: [...audiences] }))
  return toTrustOptions(own, { audiences: [] }, env)
}

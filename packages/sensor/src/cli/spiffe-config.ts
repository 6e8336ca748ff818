import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { BundleError, parseBundleText } from '../identity/spiffe/bundle.ts'
import { isTrustDomain } from '../identity/spiffe/spiffe-id.ts'
import { type BundleSource, isBundleUrl } from '../identity/spiffe/trust.ts'
import type { AssignedRoles } from '../identity/token-role.ts'
import { assignRoles, rolesBySubject } from './role-config.ts'
import { UsageError } from './usage-error.ts'

/** The block `identity.spiffe` of a configuration (docs/IDENTITY.md). */

const trustDomain = z
  .string()
  .refine(isTrustDomain, 'expected a trust domain, such as example.org: lower case, without spiffe:// and path')
const bundle = z
  .string()
  .min(1)
  .refine(
    (text) => !/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || isBundleUrl(text),
    'expected a file, or an https URL without credentials (http only for an address of this machine)',
  )

export const spiffeSchema = z.strictObject({
  trustDomains: z
    .record(trustDomain, z.strictObject({ bundle: bundle.describe('a SPIFFE bundle: a file, or its https endpoint') }))
    .describe('whom to believe about which trust domain'),
  audiences: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(16)
    .optional()
    .describe('names of this program; a JWT-SVID must be made for one of them'),
  roles: rolesBySubject.optional().describe('roles by SPIFFE ID; a final * stands for any rest'),
  clockSkewSeconds: z.int().min(0).max(300).default(30).describe('how far clocks may differ; default 30'),
})

export type SpiffeConfig = z.infer<typeof spiffeSchema>

/** The same block with files named from the root; `folder` is the configuration file's. */
export function resolveBundles(config: SpiffeConfig, folder: string): SpiffeConfig {
  const trustDomains = Object.entries(config.trustDomains).map(([name, { bundle }]) => [
    name,
    { bundle: isBundleUrl(bundle) ? bundle : resolve(folder, bundle) },
  ])
  return { ...config, trustDomains: Object.fromEntries(trustDomains) }
}

/** Undefined where the configuration gives none. */
export function toSpiffeRoles({ roles }: Pick<SpiffeConfig, 'roles'>): AssignedRoles | undefined {
  return roles === undefined ? undefined : assignRoles(roles)
}

export function toBundleSources({ trustDomains }: SpiffeConfig): BundleSource[] {
  return Object.entries(trustDomains).map(([trustDomain, { bundle }]) => ({ trustDomain, bundle }))
}

/** Reads the bundle files, so that a mistake in them is told now, with the key that names them. Throws UsageError. */
export function checkBundles(at: (...keys: string[]) => string, config: SpiffeConfig): void {
  for (const { trustDomain, bundle } of toBundleSources(config)) {
    if (isBundleUrl(bundle)) continue
    const flaw = flawOf(bundle)
    if (flaw === undefined) continue
    throw new UsageError(
      'AFD_CONFIG_INVALID',
      `${at('identity', 'spiffe', 'trustDomains', trustDomain, 'bundle')}: ${bundle} cannot be used (${flaw})`,
      'Name a bundle in SPIFFE format (spire-server bundle show -format spiffe), of this trust domain.',
    )
  }
}

function flawOf(path: string): string | undefined {
  try {
    const { x509Authorities, jwtAuthorities } = parseBundleText(readFileSync(path, 'utf8'))
    return x509Authorities.length + jwtAuthorities.size === 0 ? 'it has no keys' : undefined
  } catch (error) {
    if (error instanceof BundleError || (error instanceof Error && 'code' in error)) return String(error.code)
    throw error
  }
}

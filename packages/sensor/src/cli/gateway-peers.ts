import { setTimeout } from 'node:timers/promises'
import type { CaptureContext } from '../capture/context.ts'
import type { Doorkeeper } from '../capture/http/doorkeeper.ts'
import { createPeers, guardPeers } from '../capture/http/peer.ts'
import type { Redact } from '../identity/claims.ts'
import { createSvidJudge } from '../identity/spiffe/svid-judge.ts'
import { openTrust } from '../identity/spiffe/trust.ts'
import { diagnose } from './diagnostics.ts'
import type { At, GatewayConfig } from './gateway-config.ts'
import { checkBundles, toBundleSources, toSpiffeRoles } from './spiffe-config.ts'
import { UsageError } from './usage-error.ts'

/** Whose SVIDs a gateway looks at. */
export interface GatewayPeers {
  guard(inner: Doorkeeper, context: CaptureContext): Doorkeeper
}

/** Whether clients are asked for a certificate: on demand, or because there is somebody to vouch for it. */
export function asksClients({ tls, identity }: GatewayConfig): boolean {
  if (tls === undefined) return false
  return tls.clientCertificates !== undefined || identity?.spiffe !== undefined
}

const bundleWaitMs = 3000

/** Undefined where the configuration says nothing of clients' certificates and SVIDs. */
export async function openPeers(
  config: GatewayConfig,
  { digest, redact }: { digest: CaptureContext['digest']; redact: Redact },
): Promise<GatewayPeers | undefined> {
  const { tls, identity } = config
  const { spiffe } = identity ?? {}
  if (spiffe === undefined && !asksClients(config)) return undefined
  const trust = openTrust(spiffe === undefined ? [] : toBundleSources(spiffe), { fetch, diagnose })
  const skewMs = (spiffe?.clockSkewSeconds ?? 0) * 1000
  const roles = spiffe === undefined ? undefined : toSpiffeRoles(spiffe)
  const judge = createSvidJudge({ trust, audiences: spiffe?.audiences ?? [], skewMs, digest, redact, roles })
  const peers = createPeers(judge)
  const isRequired = tls?.clientCertificates === 'required'
  // A client that came before the first answer of a bundle endpoint would be refused for our haste.
  await within(bundleWaitMs, trust.ready)
  return { guard: (inner, context) => guardPeers(inner, { peers, context, isRequired }) }
}

/** Throws UsageError. */
export function checkPeers(at: At, { tls, identity }: GatewayConfig): void {
  const { spiffe } = identity ?? {}
  if (spiffe !== undefined) checkBundles(at, spiffe)
  if (tls?.clientCertificates === 'required' && spiffe === undefined)
    throw new UsageError(
      'AFD_CONFIG_INVALID',
      `${at('tls', 'clientCertificates')}: nobody could pass, for there is no trust domain to judge certificates by`,
      'Give identity.spiffe.trustDomains, or ask without requiring (clientCertificates: request).',
    )
}

/** Waits for it, but not for ever. */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  const ended = new AbortController()
  const late = setTimeout(limitMs, undefined, { signal: ended.signal }).catch((error: unknown) => {
    if (!ended.signal.aborted) throw error
  })
  await Promise.race([work, late])
  ended.abort()
}

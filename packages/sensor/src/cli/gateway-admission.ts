import type { CaptureContext } from '../capture/context.ts'
import { type Doorkeeper, guardResource, letEverybodyIn, watchCredentials } from '../capture/http/doorkeeper.ts'
import { createDescribeBearer } from '../identity/bearer.ts'
import type { Redact } from '../identity/claims.ts'
import { createCredentialObserver } from '../identity/credential-observer.ts'
import { createResourceGuard } from '../identity/resource-guard.ts'
import { isJwtSvid } from '../identity/spiffe/svid-judge.ts'
import { type CompiledPatterns, createRedactor, type Redactor } from '../redact/redactor.ts'
import { type AuthorizationConfig, toGuardOptions } from './gateway-authorization.ts'
import { type GatewayIdentityConfig, toIdentityTrust } from './identity-config.ts'

/**
 * What is taken out of claims before they name somebody. Mail addresses and phone numbers stay: many issuers name people by
 * them, and the section they go to is there to name people, encrypted and erased with them.
 */
export function createNamingRedactor(correlationKey: Uint8Array, patterns: CompiledPatterns | undefined): Redactor {
  const { classes = {}, disabledRules = new Set<string>(), rules = [] } = patterns ?? {}
  const naming = { classes: { ...classes, email: false, phone: false }, disabledRules, rules }
  return createRedactor({ correlationKey, patterns: naming })
}

/** Throws UsageError `AFD_SECRET_UNREADABLE`. */
export function openDoorkeeper(
  config: AuthorizationConfig,
  identity: GatewayIdentityConfig | undefined,
  { context, redact }: { context: CaptureContext; redact: Redact },
): Doorkeeper {
  const { digest, diagnose } = context
  const options = toGuardOptions(config, process.env)
  const shared = { digest, redact, diagnose, fetch }
  if (options !== undefined) return guardResource(createResourceGuard({ ...options, ...shared }), context)
  if (identity?.issuers === undefined) return letEverybodyIn(createDescribeBearer({ digest, redact }))
  const audiences = config.mode === 'inline' ? config.audiences : undefined
  const elsewhere = identity.spiffe === undefined ? {} : { isElsewhere: isJwtSvid }
  const trust = toIdentityTrust(identity, audiences, process.env)
  return watchCredentials(createCredentialObserver({ ...trust, ...shared, ...elsewhere }), context)
}

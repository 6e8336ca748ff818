import { type TokenRules, type VerifiedToken, verifyAccessToken } from './access-token.ts'
import type { GuardRequest } from './admission.ts'
import type { Digest } from './bearer.ts'
import { createBoundedMap } from './bounded-map.ts'
import type { Redact } from './claims.ts'
import { readBearer } from './credential.ts'
import type { Principals } from './principals.ts'
import { toPrincipals } from './token-principals.ts'
import type { SubjectToken } from './upstream-token.ts'

/** A token that was found good, and whom it names. */
export interface JudgedBearer {
  subject: SubjectToken
  verified: VerifiedToken
  /** The same object for the same token; all of it `verified`. */
  principals: Principals
}

/** Throws Refusal. */
export type JudgeBearer = (request: GuardRequest) => Promise<JudgedBearer>

/** A token is verified again after this time, so that a key that was withdrawn stops counting. */
const verifiedForMs = 60_000
const rememberedMax = 4096

interface Remembered {
  principals: Principals
  verified: VerifiedToken
  sinceMs: number
}

/** Remembers digests of tokens, and of the tokens themselves nothing. */
export function createBearerJudge(rules: TokenRules, by: { digest: Digest; redact: Redact }): JudgeBearer {
  const known = createBoundedMap<Remembered>(rememberedMax)
  return async (request) => {
    const { nowMs } = request
    const token = readBearer(request)
    const subject = { token, fingerprint: by.digest(token) }
    const fresh = known.get(subject.fingerprint)
    if (fresh !== undefined && isStillGood(fresh, nowMs)) return { ...fresh, subject }

    const verified = await verifyAccessToken(token, rules, nowMs)
    // Looked up again: another request with the same token may have been faster.
    const before = known.get(subject.fingerprint)?.principals
    const principals = before ?? describeVerified(subject, verified, by.redact)
    known.set(subject.fingerprint, { principals, verified, sinceMs: nowMs })
    return { subject, verified, principals }
  }
}

function isStillGood({ sinceMs, verified }: Remembered, nowMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs < verifiedForMs && nowMs < verified.expiresMs
}

function describeVerified({ fingerprint }: SubjectToken, verified: VerifiedToken, redact: Redact): Principals {
  const grounds = { assurance: 'verified', method: 'jwt', source: verified.issuer } as const
  const { issuer, audience } = verified
  return toPrincipals(verified.claims, { ...grounds, digest: fingerprint, issuer, audience }, { grounds, redact })
}

import { clipText } from '@affidavit/evidence/record/text'
import { type VerifiedToken, verifyAccessToken } from './access-token.ts'
import type { GuardRequest } from './admission.ts'
import type { Digest } from './bearer.ts'
import { verifyBinding } from './binding.ts'
import { createBoundedMap } from './bounded-map.ts'
import type { Redact } from './claims.ts'
import { readToken } from './credential.ts'
import { createVerifyProof, type VerifyProof } from './dpop-proof.ts'
import type { Principals } from './principals.ts'
import { isPassing, Refusal, type RefusalCode } from './refusal-code.ts'
import { toPrincipals } from './token-principals.ts'
import { fingerprintOf, referToClaims } from './token-ref.ts'
import type { TokenTrust } from './token-trust.ts'
import type { SubjectToken } from './upstream-token.ts'

/** A token that was found good, and whom it names. */
export interface JudgedBearer {
  subject: SubjectToken
  verified: VerifiedToken
  /** The same object for the same token, as long as it says the same; all of it `verified`. */
  principals: Principals
}

/** Throws Refusal. */
export type JudgeBearer = (request: GuardRequest) => Promise<JudgedBearer>

const rememberedMax = 4096
/** A token that was refused for what it is, is so again. */
const refusedForMs = 60_000

interface Remembered {
  principals: Principals
  verified: VerifiedToken
  sinceMs: number
}

interface By {
  digest: Digest
  redact: Redact
  verifyProof?: VerifyProof
}

/** Remembers digests of tokens, and of the tokens themselves nothing. */
export function createBearerJudge(trust: TokenTrust, by: By): JudgeBearer {
  const judgeToken = createTokenJudge(trust, by)
  const verifyProof = by.verifyProof ?? createVerifyProof()
  return async (request) => {
    const presented = readToken(request)
    const judged = await judgeToken(presented.token, request.nowMs)
    // Of every request, not of the token: whoever stole it has it, and not the key.
    await verifyBinding(judged.verified, presented, request, verifyProof)
    return judged
  }
}

/** A token costs its signature check or its introspection once in a while, however many requests bring it. */
function createTokenJudge(trust: TokenTrust, by: By): (token: string, nowMs: number) => Promise<JudgedBearer> {
  const known = createBoundedMap<Remembered>(rememberedMax)
  const refused = createBoundedMap<{ code: RefusalCode; sinceMs: number }>(rememberedMax)
  const underWay = new Map<string, Promise<VerifiedToken>>()

  const verify = async (token: string, name: string, nowMs: number): Promise<VerifiedToken> => {
    try {
      return await verifyAccessToken(token, trust, nowMs)
    } catch (error) {
      if (error instanceof Refusal && !isPassing(error.code)) refused.set(name, { code: error.code, sinceMs: nowMs })
      throw error
    } finally {
      underWay.delete(name)
    }
  }
  return async (token, nowMs) => {
    const subject = { token, fingerprint: by.digest(token) }
    const name = subject.fingerprint
    const fresh = known.get(name)
    if (fresh !== undefined && isStillGood(fresh, nowMs)) return { ...fresh, subject }
    const before = refused.get(name)
    if (before !== undefined && isWithin(refusedForMs, before.sinceMs, nowMs)) throw new Refusal(before.code)

    const pending = underWay.get(name) ?? verify(token, name, nowMs)
    underWay.set(name, pending)
    const verified = await pending
    // A JWT says the same every time; of an opaque token its issuer may say something else by now.
    const same = verified.method === 'jwt' ? known.get(name)?.principals : undefined
    const principals = same ?? describeVerified(subject, verified, by.redact)
    known.set(name, { principals, verified, sinceMs: nowMs })
    return { subject, verified, principals }
  }
}

function isWithin(spanMs: number, sinceMs: number, nowMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs < spanMs
}

function isStillGood({ sinceMs, verified }: Remembered, nowMs: number): boolean {
  const { expiresMs = Number.POSITIVE_INFINITY, rememberMs } = verified
  return isWithin(rememberMs, sinceMs, nowMs) && nowMs < expiresMs
}

function describeVerified({ token, fingerprint }: SubjectToken, verified: VerifiedToken, redact: Redact): Principals {
  const { claims, rules, method, audience } = verified
  const grounds = { assurance: 'verified', method, source: clipText(rules.issuer) } as const
  const ref = { ...grounds, digest: fingerprint, fingerprint: fingerprintOf(token), audience: clipText(audience) }
  return toPrincipals(claims, referToClaims(ref, claims, redact), { grounds, redact, reading: rules })
}

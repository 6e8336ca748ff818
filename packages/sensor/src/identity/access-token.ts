import { type CompactJWSHeaderParameters, errors, type JWTPayload, jwtVerify } from 'jose'
import { type JwtText, parseJwtText, tokenBytesMax } from './jwt-text.ts'
import { Refusal, type RefusalCode } from './refusal-code.ts'
import { audienceOf, judgeClaims, judgeIntrospected } from './token-claims.ts'
import type { IssuerRules, TokenTrust } from './token-trust.ts'

export interface VerifiedToken {
  claims: JWTPayload
  rules: IssuerRules
  method: 'jwt' | 'introspection'
  /** The name of ours that the issuer made it for. */
  audience: string
  /** Undefined where the issuer vouched for it without saying until when. */
  expiresMs: number | undefined
  /** How long this may be taken for granted, the expiry aside. */
  rememberMs: number
}

/** A token is verified again after this time, so that a key that was withdrawn stops counting. */
const verifiedForMs = 60_000
/** RFC 6750 §2.1. */
const bearerSyntax = /^[A-Za-z0-9\-._~+/]+=*$/
/** Where a token says its key is (RFC 7515 §4.1). Never followed: keys come from the issuer alone. */
const keyParameters = ['jwk', 'jku', 'x5u', 'x5c']
const untyped: readonly unknown[] = ['at+jwt', 'application/at+jwt', 'jwt', undefined]

/**
 * Whether this token was made by a trusted issuer for this server, now. What costs nothing is judged first, so that a flood
 * of nonsense makes neither requests nor signature checks. Whether it came from whom it is bound to is asked elsewhere
 * (binding.ts). Throws Refusal.
 */
export async function verifyAccessToken(token: string, trust: TokenTrust, nowMs: number): Promise<VerifiedToken> {
  if (token.length > tokenBytesMax) throw new Refusal('token_oversized')
  if (!bearerSyntax.test(token)) throw new Refusal('token_malformed')
  const text = parseJwtText(token)
  if (typeof text === 'object') return verifyJwt(token, text, trust, nowMs)
  const isUnreadable = text === 'token_not_jwt' || text === 'token_encrypted'
  if (trust.introspecting === undefined || !isUnreadable) throw new Refusal(text)
  return introspectToken(token, trust.introspecting, nowMs)
}

async function verifyJwt(token: string, text: JwtText, trust: TokenTrust, nowMs: number): Promise<VerifiedToken> {
  const { iss } = text.claims
  const rules = typeof iss === 'string' ? trust.issuers.get(iss) : undefined
  if (rules === undefined) throw new Refusal('unknown_issuer')
  const { alg, typ, crit, b64 } = text.header
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) throw new Refusal('algorithm_refused')
  // RFC 7797 §6 has b64 always named by crit; where it is not, readers differ in what was signed.
  if (crit !== undefined || b64 !== undefined) throw new Refusal('critical_header')
  if (!isAccessTokenType(typ, rules.typ)) throw new Refusal('wrong_type')

  const claims = await verifySignature(token, text, rules, nowMs)
  judgeClaims(claims, rules, nowMs)
  const audience = audienceOf(claims.aud, rules) ?? ''
  const expiresMs = (claims.exp ?? 0) * 1000
  return { claims, rules, method: 'jwt', audience, expiresMs, rememberMs: verifiedForMs }
}

async function introspectToken(
  token: string,
  rules: NonNullable<TokenTrust['introspecting']>,
  nowMs: number,
): Promise<VerifiedToken> {
  const claims = judgeIntrospected(await rules.introspect(token, nowMs), rules, nowMs)
  judgeClaims(claims, rules, nowMs)
  const audience = audienceOf(claims.aud, rules) ?? ''
  const expiresMs = claims.exp === undefined ? undefined : claims.exp * 1000
  return { claims, rules, method: 'introspection', audience, expiresMs, rememberMs: rules.introspect.cacheMs }
}

/** Whether the token grants all these scopes: `scope` (RFC 9068 §2.2.3), or `scp` as some issuers write it. */
export function isScopedFor({ claims }: VerifiedToken, scopes: readonly string[]): boolean {
  const granted = [claims.scope, claims.scp].flat().flatMap((each) => String(each).split(' '))
  return scopes.every((scope) => granted.includes(scope))
}

function isAccessTokenType(typ: unknown, accepted: IssuerRules['typ']): boolean {
  const type = typeof typ === 'string' ? typ.toLowerCase() : typ
  return accepted === 'any' ? untyped.includes(type) : type === 'at+jwt' || type === 'application/at+jwt'
}

async function verifySignature(
  token: string,
  { header }: JwtText,
  rules: IssuerRules,
  nowMs: number,
): Promise<JWTPayload> {
  const keyOf = (from: CompactJWSHeaderParameters) => rules.keys.keyFor(from, nowMs)
  try {
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: [...rules.algorithms],
      audience: [...rules.audiences],
      requiredClaims: ['exp'],
      clockTolerance: rules.skewMs / 1000,
      currentDate: new Date(nowMs),
    })
    return payload
  } catch (error) {
    const code = refusalOf(error)
    // Signed by the issuer these parameters are harmless; here they say what was tried.
    const isForged = code === 'bad_signature' || code === 'unknown_key'
    if (isForged && keyParameters.some((name) => Object.hasOwn(header, name))) throw new Refusal('key_in_header')
    throw new Refusal(code)
  }
}

const claimRefusals: Record<string, Record<string, RefusalCode>> = {
  exp: { missing: 'expiry_missing' },
  nbf: { check_failed: 'token_not_yet_valid' },
  aud: { missing: 'audience_missing', check_failed: 'wrong_audience' },
}

/** Rethrows what is no judgement on the token. */
function refusalOf(error: unknown): RefusalCode {
  if (error instanceof Refusal) return error.code
  if (error instanceof errors.JWTExpired) return 'token_expired'
  if (error instanceof errors.JWTClaimValidationFailed)
    return claimRefusals[error.claim]?.[error.reason] ?? 'claim_malformed'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad_signature'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm_refused'
  if (error instanceof errors.JOSEError) return 'token_malformed'
  // jose has no class of its own for an RSA key below 2048 bits (RFC 7518 §3.3).
  if (error instanceof TypeError && error.message.includes('modulusLength')) return 'weak_key'
  throw error
}

import type { KeyObject } from 'node:crypto'
import { shortText } from '@affidavit/evidence/record/text'
import { type CompactJWSHeaderParameters, errors, type JWTPayload, jwtVerify } from 'jose'
import { type JwtText, parseJwtText, tokenBytesMax } from '../jwt-text.ts'
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts'
import { type SpiffeCode, SpiffeRefusal } from './spiffe-refusal.ts'
import type { BundleLookup } from './trust.ts'

/** What a JWT-SVID is judged by. */
export interface JwtSvidTrust {
  bundleOf: BundleLookup
  /** One of these must be among the token's audiences: this program, by its own names. */
  audiences: readonly string[]
  /** How far clocks may differ. */
  skewMs: number
}

export interface VerifiedJwtSvid {
  spiffeId: SpiffeId
  /** The name of ours that it was made for. */
  audience: string
  expiresMs: number
  tokenId: string | undefined
}

/** JWT-SVID §2.1. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']
/** §2: any other header must not be there. */
const headers: readonly string[] = ['alg', 'kid', 'typ']
const types: readonly unknown[] = ['JWT', 'JOSE', undefined]
const secondsMax = 253_402_300_799

/** Whether a bearer token calls itself a JWT-SVID: an OAuth token has another kind of subject. Never throws. */
export function claimsSpiffeId(token: string): string | undefined {
  const text = token.length > tokenBytesMax ? 'token_oversized' : parseJwtText(token)
  if (typeof text === 'string') return undefined
  const { sub } = text.claims
  return typeof sub === 'string' && sub.startsWith('spiffe://') ? sub : undefined
}

/** Whether a trusted trust domain made this token for us, and it is valid now. Throws SpiffeRefusal. */
export async function judgeJwtSvid(token: string, trust: JwtSvidTrust, nowMs: number): Promise<VerifiedJwtSvid> {
  if (token.length > tokenBytesMax) throw new SpiffeRefusal('token_oversized')
  const text = parseJwtText(token)
  if (typeof text === 'string') throw new SpiffeRefusal(text)
  const { kid, alg } = judgeHeader(text)
  const { sub } = text.claims
  const spiffeId = parseSpiffeId(typeof sub === 'string' ? sub : '')
  const key = trust.bundleOf(spiffeId.trustDomain).jwtAuthorities.get(kid)
  if (key === undefined) throw new SpiffeRefusal('unknown_key')
  if (!isKeyFor(alg, key)) throw new SpiffeRefusal('algorithm_refused')
  const keyOf = (_: CompactJWSHeaderParameters) => key
  const claims = await verifySignature(() =>
    jwtVerify(token, keyOf, {
      algorithms,
      audience: [...trust.audiences],
      requiredClaims: ['exp', 'aud'],
      clockTolerance: trust.skewMs / 1000,
      currentDate: new Date(nowMs),
    }),
  )
  const { exp = 0, iat, jti } = claims
  if (exp < 0 || exp > secondsMax) throw new SpiffeRefusal('claim_malformed')
  if (iat !== undefined && iat * 1000 > nowMs + trust.skewMs) throw new SpiffeRefusal('token_not_yet_valid')
  const audiences: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  const audience = trust.audiences.find((each) => audiences.includes(each)) ?? ''
  return { spiffeId, audience, expiresMs: exp * 1000, tokenId: shortText(jti) === undefined ? jti : undefined }
}

const curves: Record<string, string> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' }
const rsaBitsMin = 2048

/** The key decides which algorithms there are, and not the token. */
function isKeyFor(alg: string, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {}
  if (alg.startsWith('ES')) return asymmetricKeyType === 'ec' && namedCurve === curves[alg]
  return asymmetricKeyType === 'rsa' && modulusLength >= rsaBitsMin
}

function judgeHeader({ header }: JwtText): { alg: string; kid: string } {
  const { alg, kid, typ } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new SpiffeRefusal('algorithm_refused')
  if (Object.keys(header).some((name) => !headers.includes(name))) throw new SpiffeRefusal('header_refused')
  if (!types.includes(typ)) throw new SpiffeRefusal('wrong_type')
  // Optional in the specification; without it every key of the trust domain would have to be tried.
  if (typeof kid !== 'string' || kid === '') throw new SpiffeRefusal('key_id_missing')
  return { alg, kid }
}

const claimRefusals: Record<string, Record<string, SpiffeCode>> = {
  exp: { missing: 'expiry_missing' },
  nbf: { check_failed: 'token_not_yet_valid' },
  aud: { missing: 'audience_missing', check_failed: 'wrong_audience' },
}

async function verifySignature(verify: () => Promise<{ payload: JWTPayload }>): Promise<JWTPayload> {
  try {
    return (await verify()).payload
  } catch (error) {
    throw refusalOf(error)
  }
}

/** Anything that is no judgement on the token comes back as it was. */
function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new SpiffeRefusal('token_expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new SpiffeRefusal(claimRefusals[error.claim]?.[error.reason] ?? 'claim_malformed')
  if (error instanceof errors.JWSSignatureVerificationFailed) return new SpiffeRefusal('bad_signature')
  if (error instanceof errors.JOSEError) return new SpiffeRefusal('token_malformed')
  return error
}

import { shortText } from '@affidavit/evidence/record/text'
import { type CompactJWSHeaderParameters, errors, type JWTPayload, jwtVerify } from 'jose'
import { isJsonObject } from './claims.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { type JwtText, parseJwtText, tokenBytesMax } from './jwt-text.ts'
import { Refusal, type RefusalCode } from './refusal-code.ts'
import { actorsMax, clientOf } from './token-principals.ts'

/** What an access token must be to be admitted (RFC 9068 §4, RFC 8707). */
export interface TokenRules {
  /** By what stands in `iss`. */
  issuers: ReadonlyMap<string, IssuerKeys>
  /** One of these must be among the token's audiences: this server, by its own name. */
  audiences: readonly string[]
  algorithms: readonly string[]
  /** `any` also admits tokens that do not call themselves at+jwt, as many issuers' do not. */
  typ: 'at+jwt' | 'any'
  /** How far clocks may differ. */
  skewMs: number
}

export interface VerifiedToken {
  claims: JWTPayload
  issuer: string
  /** The name of ours that the issuer made it for. */
  audience: string
  expiresMs: number
}

/** Algorithms with public keys. With a shared secret, whoever checks a token could also make one. */
export const signatureAlgorithms = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
] as const // biome-ignore format: one list, read as one

/** The last second of the year 9999, in seconds since 1970. */
const secondsMax = 253_402_300_799
/** RFC 6750 §2.1. */
const bearerSyntax = /^[A-Za-z0-9\-._~+/]+=*$/
/** Where a token says its key is (RFC 7515 §4.1). Never followed: keys come from the issuer alone. */
const keyParameters = ['jwk', 'jku', 'x5u', 'x5c']
const untyped: readonly unknown[] = ['at+jwt', 'application/at+jwt', 'jwt', undefined]

/**
 * Whether this token was made by a trusted issuer for this server, now. What costs nothing is judged first, so that a flood
 * of nonsense makes neither requests nor signature checks. Throws Refusal.
 */
export async function verifyAccessToken(token: string, rules: TokenRules, nowMs: number): Promise<VerifiedToken> {
  const text = parseTokenText(token)
  const { alg, typ } = text.header
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) throw new Refusal('algorithm_refused')
  if (text.header.crit !== undefined) throw new Refusal('critical_header')
  if (!isAccessTokenType(typ, rules.typ)) throw new Refusal('wrong_type')
  const { iss } = text.claims
  const keys = typeof iss === 'string' ? rules.issuers.get(iss) : undefined
  if (keys === undefined || typeof iss !== 'string') throw new Refusal('unknown_issuer')

  const claims = await verifySignature(token, text, { rules, keys, nowMs })
  judgeClaims(claims, rules, nowMs)
  const audience = rules.audiences.find((each) => listOf(claims.aud).includes(each)) ?? ''
  return { claims, issuer: iss, audience, expiresMs: (claims.exp ?? 0) * 1000 }
}

/** Whether the token grants all these scopes: `scope` (RFC 9068 §2.2.3), or `scp` as some issuers write it. */
export function isScopedFor({ claims }: VerifiedToken, scopes: readonly string[]): boolean {
  const granted = [claims.scope, claims.scp].flatMap((each) => listOf(each)).flatMap((each) => String(each).split(' '))
  return scopes.every((scope) => granted.includes(scope))
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}

function parseTokenText(token: string): JwtText {
  if (token.length > tokenBytesMax) throw new Refusal('token_oversized')
  if (!bearerSyntax.test(token)) throw new Refusal('token_malformed')
  const text = parseJwtText(token)
  if (typeof text === 'string') throw new Refusal(text)
  return text
}

function isAccessTokenType(typ: unknown, accepted: TokenRules['typ']): boolean {
  const type = typeof typ === 'string' ? typ.toLowerCase() : typ
  return accepted === 'any' ? untyped.includes(type) : type === 'at+jwt' || type === 'application/at+jwt'
}

async function verifySignature(
  token: string,
  { header }: JwtText,
  { rules, keys, nowMs }: { rules: TokenRules; keys: IssuerKeys; nowMs: number },
): Promise<JWTPayload> {
  const keyOf = (from: CompactJWSHeaderParameters) => keys.keyFor(from, nowMs)
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
  throw error
}

/** What jose does not ask: these claims go into records and challenges, or change what the token is good for. */
function judgeClaims(claims: JWTPayload, { skewMs }: TokenRules, nowMs: number): void {
  const { exp = 0, iat, sub, cnf, act } = claims
  if (exp < 0 || exp > secondsMax || !isOptionalName(sub) || !areNames(claims) || !isActorChain(act))
    throw new Refusal('claim_malformed')
  if (iat !== undefined && iat * 1000 > nowMs + skewMs) throw new Refusal('token_not_yet_valid')
  if (sub === undefined && clientOf(claims) === undefined) throw new Refusal('subject_missing')
  // RFC 9449 §6, RFC 8705 §3: without its proof, a token that is bound to a key is anybody's.
  if (cnf !== undefined) throw new Refusal('proof_unsupported')
}

function areNames({ client_id, azp }: JWTPayload): boolean {
  return isOptionalName(client_id) && isOptionalName(azp)
}

/** An identity is recorded whole or not at all: two that differ at the end only would become one. */
function isOptionalName(value: unknown): boolean {
  if (value === undefined) return true
  return shortText(value) === undefined && !/\p{Cc}/u.test(String(value))
}

function isActorChain(act: unknown): boolean {
  let next = act
  for (let depth = 0; next !== undefined; depth++) {
    if (depth >= actorsMax || !isJsonObject(next) || !isOptionalName(next.sub)) return false
    if (next.sub === undefined && clientOf(next) === undefined) return false
    next = next.act
  }
  return true
}

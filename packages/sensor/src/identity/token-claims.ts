import type { Attribute } from '@affidavit/evidence/record/identity-section'
import { shortText } from '@affidavit/evidence/record/text'
import type { JWTPayload } from 'jose'
import { textsAt } from './claim-texts.ts'
import { isJsonObject } from './claims.ts'
import { Refusal } from './refusal-code.ts'
import { attributesOf, isConsistent, missingOf } from './token-kind.ts'
import { actorsMax, clientOf } from './token-principals.ts'
import type { IssuerRules } from './token-trust.ts'

/** The last second of the year 9999, in seconds since 1970. */
const secondsMax = 253_402_300_799

/**
 * What no library asks of claims that were signed or vouched for: they go into records and challenges, and the configuration
 * may narrow them. Throws Refusal.
 */
export function judgeClaims(claims: JWTPayload, rules: IssuerRules, nowMs: number): void {
  const { exp = 0, iat, sub, act } = claims
  if (exp < 0 || exp > secondsMax || !isOptionalName(sub) || !areNames(claims) || !isActorChain(act))
    throw new Refusal('claim_malformed')
  if (iat !== undefined && iat * 1000 > nowMs + rules.skewMs) throw new Refusal('token_not_yet_valid')
  if (sub === undefined && clientOf(claims) === undefined) throw new Refusal('subject_missing')
  judgeKind(claims, rules)
}

/** A job of another repository has a token of the same issuer, as good as any but for what it says of itself. */
function judgeKind(claims: JWTPayload, { kind, claims: constraints }: IssuerRules): void {
  const attributes = attributesOf(kind, claims)
  if (missingOf(kind, attributes).length > 0) throw new Refusal('claim_missing')
  if (!attributes.every(({ value }) => isOptionalName(value)) || !isConsistent(kind, claims, attributes))
    throw new Refusal('claim_malformed')
  for (const [name, accepted] of constraints) {
    const values = valuesOf(name, claims, attributes)
    if (!values.some((value) => accepted.some((pattern) => isMatch(value, pattern)))) throw new Refusal('claim_refused')
  }
}

function valuesOf(name: string, claims: JWTPayload, attributes: readonly Attribute[]): string[] {
  const own = attributes.find((each) => each.name === name)
  return own === undefined ? textsAt(claims, [name]) : [own.value]
}

function isMatch(value: string, pattern: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
}

/** Times and audience of claims that came without a signature, as a library judges those with one. Throws Refusal. */
export function judgeIntrospected(claims: Record<string, unknown>, rules: IssuerRules, nowMs: number): JWTPayload {
  const { iss = rules.issuer, exp, nbf, iat, aud } = claims
  if (iss !== rules.issuer) throw new Refusal('unknown_issuer')
  if (![exp, nbf, iat].every((time) => time === undefined || typeof time === 'number'))
    throw new Refusal('claim_malformed')
  if (typeof exp === 'number' && exp * 1000 <= nowMs - rules.skewMs) throw new Refusal('token_expired')
  if (typeof nbf === 'number' && nbf * 1000 > nowMs + rules.skewMs) throw new Refusal('token_not_yet_valid')
  if (aud === undefined) throw new Refusal('audience_missing')
  if (audienceOf(aud, rules) === undefined) throw new Refusal('wrong_audience')
  return parsePayload({ ...claims, iss: rules.issuer })
}

/** Its times were looked at, and every other member is read as unknown. */
function parsePayload(claims: Record<string, unknown>): JWTPayload {
  return claims as JWTPayload
}

/** The name of ours that the token was made for. */
export function audienceOf(aud: unknown, { audiences }: IssuerRules): string | undefined {
  const named: unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.find((each) => named.includes(each))
}

function areNames({ client_id, azp, jti }: JWTPayload): boolean {
  return isOptionalName(client_id) && isOptionalName(azp) && (jti === undefined || typeof jti === 'string')
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

import { createHash } from 'node:crypto'
import type { Hash } from '@affidavit/evidence/record/header'
import type { TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { Redact } from './claims.ts'

/** The last second of the year 9999, in seconds since 1970. */
const secondsMax = 253_402_300_799

/** SHA-256 of a token as it was sent: what other programs print of it, so that their lines can be found. */
export function fingerprintOf(token: string): Hash {
  return createHash('sha256').update(token).digest('base64')
}

/** The same reference with what the claims say of the token; of several audiences the first where none is given already. */
export function referToClaims(token: TokenRef, claims: Record<string, unknown>, redact: Redact): TokenRef {
  const { iss, sub, aud, client_id, azp, jti, exp } = claims
  const keep = (name: 'issuer' | 'subject' | 'audience' | 'clientId' | 'tokenId', value: unknown): Partial<TokenRef> =>
    typeof value === 'string' && value !== '' ? { [name]: clipText(redact(value)) } : {}
  const isTime = typeof exp === 'number' && exp >= 0 && exp <= secondsMax
  return {
    ...keep('issuer', iss),
    ...keep('subject', sub),
    ...keep('audience', Array.isArray(aud) ? aud[0] : aud),
    ...keep('clientId', client_id ?? azp),
    ...keep('tokenId', jti),
    ...(isTime ? { expires: formatTimestamp(exp * 1000) } : {}),
    ...token,
  }
}

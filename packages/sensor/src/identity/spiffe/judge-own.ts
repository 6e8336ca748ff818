import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Grounds } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { isJsonObject } from '../claims.ts'
import { parseJwtText, tokenBytesMax } from '../jwt-text.ts'
import type { TrustBundle } from './bundle.ts'
import { parseCertificate } from './certificate.ts'
import { DerError, splitSequences } from './der.ts'
import { judgeJwtSvid, type VerifiedJwtSvid } from './jwt-svid.ts'
import { parseSpiffeId } from './spiffe-id.ts'
import { SpiffeRefusal } from './spiffe-refusal.ts'
import type { SpiffeTrust } from './trust.ts'
import type { JwtSvidMessage, X509SvidMessage } from './workload-messages.ts'
import { type VerifiedX509Svid, verifyX509Svid } from './x509-svid.ts'

/** What an SVID from the Workload API proves of this process. */

/** By what it was judged: a bundle that the configuration names, or the one that came with it. */
export type VouchedBy = 'configuration' | 'workload-api'

const source = 'workload-api'
const byItself =
  'issued to this process, which the agent started, by whoever owns the socket; no other bundle vouches for it'
const byConfiguration = 'issued to this process, which the agent started; whatever is attested alike has it too'

export function groundsOf(method: 'x509-svid' | 'jwt-svid', by: VouchedBy): Grounds {
  return by === 'configuration'
    ? { assurance: 'verified', method, source, reason: byConfiguration }
    : { assurance: 'attested', method, source, reason: byItself }
}

/**
 * The chain must hold, its key must be ours, and where a bundle for its trust domain is configured that one decides. Throws
 * SpiffeRefusal.
 */
export function judgeOwnX509(
  message: X509SvidMessage,
  trust: SpiffeTrust | undefined,
  nowMs: number,
): { svid: VerifiedX509Svid; by: VouchedBy } {
  const { trustDomain } = parseSpiffeId(message.spiffeId)
  const chain = split(message.chain)
  const own: TrustBundle = {
    x509Authorities: split(message.bundle).map(parseCertificate),
    jwtAuthorities: new Map(),
    sequence: undefined,
    refreshHintMs: undefined,
  }
  const ownLookup = (asked: string) => {
    if (asked !== trustDomain) throw new SpiffeRefusal('spiffe_id_differs')
    return own
  }
  const by = trust?.knows(trustDomain) === true ? 'configuration' : 'workload-api'
  const svid = verifyX509Svid(chain, by === 'configuration' && trust ? trust.bundleOf : ownLookup, nowMs)
  if (svid.spiffeId.id !== message.spiffeId) throw new SpiffeRefusal('spiffe_id_differs')
  if (!isKeyOf(message.key, svid)) throw new SpiffeRefusal('key_mismatch')
  return { svid, by }
}

function split(bytes: Uint8Array): Uint8Array[] {
  try {
    return splitSequences(bytes)
  } catch (error) {
    if (error instanceof DerError) throw new SpiffeRefusal('certificate_malformed')
    throw error
  }
}

function isKeyOf(key: Uint8Array, { leaf }: VerifiedX509Svid): boolean {
  try {
    const own = createPublicKey(
      createPrivateKey({ key: Buffer.from(key.buffer, key.byteOffset, key.length), format: 'der', type: 'pkcs8' }),
    )
    return own.equals(leaf.publicKey)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

/** Throws SpiffeRefusal. */
export async function judgeOwnJwt(
  { spiffeId: named, svid: token }: JwtSvidMessage,
  { trust, audience }: { trust: SpiffeTrust | undefined; audience: string },
  nowMs: number,
): Promise<{ svid: VerifiedJwtSvid; by: VouchedBy }> {
  const spiffeId = parseSpiffeId(named)
  if (trust?.knows(spiffeId.trustDomain) === true) {
    const svid = await judgeJwtSvid(token, { bundleOf: trust.bundleOf, audiences: [audience], skewMs: 0 }, nowMs)
    if (svid.spiffeId.id !== named) throw new SpiffeRefusal('spiffe_id_differs')
    return { svid, by: 'configuration' }
  }
  const { exp, sub, jti } = claimsOf(token)
  if (sub !== named) throw new SpiffeRefusal('spiffe_id_differs')
  if (typeof exp !== 'number' || exp < 0 || exp > 253_402_300_799) throw new SpiffeRefusal('expiry_missing')
  if (exp * 1000 <= nowMs) throw new SpiffeRefusal('token_expired')
  const tokenId = typeof jti === 'string' && jti !== '' ? clipText(jti) : undefined
  return { svid: { spiffeId, audience, expiresMs: exp * 1000, tokenId }, by: 'workload-api' }
}

function claimsOf(token: string): Record<string, unknown> {
  const text = token.length > tokenBytesMax ? 'token_oversized' : parseJwtText(token)
  if (typeof text === 'string') throw new SpiffeRefusal(text)
  return isJsonObject(text.claims) ? text.claims : {}
}

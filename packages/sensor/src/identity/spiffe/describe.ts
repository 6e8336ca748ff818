import { createHash } from 'node:crypto'
import type { Absent } from '@affidavit/evidence/record/absent'
import type { Actor, Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { Digest } from '../bearer.ts'
import type { Redact } from '../claims.ts'
import { parseCertificate } from './certificate.ts'
import { orSpiffeRefusal, SpiffeRefusal } from './spiffe-refusal.ts'
import { fingerprintOf, type VerifiedX509Svid } from './x509-svid.ts'

/** Whom an SVID names, as records say it. */

const idBytesMax = 256
const headBytes = 200

/** An identity is recorded whole, or with the hash of the whole: two that differ at the end only must not become one. */
export function nameSpiffeId(id: string, redact: Redact): string {
  const kept = redact(id)
  if (Buffer.byteLength(kept) <= idBytesMax) return kept
  return `${clipText(kept, headBytes)} sha256:${createHash('sha256').update(id).digest('base64url')}`
}

export function describeX509Svid(svid: VerifiedX509Svid, grounds: Grounds, redact: Redact): Actor {
  return {
    ...grounds,
    kind: 'workload',
    id: nameSpiffeId(svid.spiffeId.id, redact),
    issuer: svid.spiffeId.trustDomain,
    attributes: [
      { name: 'certificate_sha256', value: svid.fingerprint },
      { name: 'serial', value: clipText(svid.serial) },
      { name: 'expires', value: formatTimestamp(svid.expiresMs) },
    ],
  }
}

/** How the record refers to a certificate as to any credential: what it says of itself where it was found good. */
export function referToCertificate(
  { leaf, digest, redact }: { leaf: Uint8Array; digest: Digest; redact: Redact },
  grounds: Grounds,
  svid?: VerifiedX509Svid,
): TokenRef {
  const ref: TokenRef = {
    ...grounds,
    digest: digest(Buffer.from(leaf).toString('base64')),
    fingerprint: createHash('sha256').update(leaf).digest('base64'),
  }
  if (svid === undefined) return ref
  const { spiffeId, serial, expiresMs } = svid
  const subject = nameSpiffeId(spiffeId.id, redact)
  const expires = formatTimestamp(expiresMs)
  return { ...ref, issuer: spiffeId.trustDomain, subject, tokenId: clipText(serial), expires }
}

/** Whom a certificate names that was not found good: its SPIFFE ID or else its subject, as a claim. */
export function describeRefused(
  der: Uint8Array | undefined,
  { code, message }: Pick<SpiffeRefusal, 'code' | 'message'>,
  { redact, source }: { redact: Redact; source: string },
): Actor | Absent {
  const reason = `${message} (${code})`
  const certificate = der === undefined ? undefined : orSpiffeRefusal(() => parseCertificate(der))
  if (der === undefined || certificate === undefined || certificate instanceof SpiffeRefusal) return { absent: reason }
  const uri = certificate.uris.length === 1 ? certificate.uris[0] : undefined
  const name = uri ?? certificate.x509.subject?.replaceAll('\n', ', ')
  if (name === undefined || name === '') return { absent: reason }
  const isSvid = name.startsWith('spiffe://')
  return {
    assurance: 'claimed',
    method: isSvid ? 'x509-svid' : 'x509',
    source,
    reason,
    kind: 'workload',
    id: isSvid ? nameSpiffeId(name, redact) : clipText(redact(name)),
    attributes: [{ name: 'certificate_sha256', value: fingerprintOf(der) }],
  }
}

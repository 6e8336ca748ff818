import { createHash } from 'node:crypto'
import type { TrustBundle } from './bundle.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { isPermitted } from './certificate-names.ts'
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts'
import { SpiffeRefusal } from './spiffe-refusal.ts'
import type { BundleLookup } from './trust.ts'

/** An X.509-SVID whose chain ends at an authority of its own trust domain. That its bearer has the key, TLS has shown. */
export interface VerifiedX509Svid {
  spiffeId: SpiffeId
  /** When the first of its chain expires. */
  expiresMs: number
  /** SHA-256 of the leaf, in hexadecimal. */
  fingerprint: string
  /** In hexadecimal. */
  serial: string
  leaf: Certificate
}

const intermediatesMax = 8

/**
 * X509-SVID §5, RFC 5280 §6. `chain` has the leaf first, and each next one certifies the one before, as TLS sends them; the
 * order bounds the work. Revocation lists are not asked for: SVIDs are short-lived instead. Throws SpiffeRefusal.
 */
export function verifyX509Svid(chain: readonly Uint8Array[], bundleOf: BundleLookup, nowMs: number): VerifiedX509Svid {
  const [leafDer, ...rest] = chain
  if (leafDer === undefined) throw new SpiffeRefusal('certificate_missing')
  if (rest.length > intermediatesMax) throw new SpiffeRefusal('certificate_chain_too_long')
  const leaf = parseCertificate(leafDer)
  const spiffeId = readLeafId(leaf)
  judgeLeaf(leaf, nowMs)
  const intermediates = rest.map(parseCertificate)
  const signers = findSigners(leaf, intermediates, bundleOf(spiffeId.trustDomain))
  judgeSigners([leaf, ...signers], nowMs)
  return {
    spiffeId,
    expiresMs: Math.min(...[leaf, ...signers].map(({ untilMs }) => untilMs)),
    fingerprint: fingerprintOf(leaf.der),
    serial: leaf.x509.serialNumber.toLowerCase(),
    leaf,
  }
}

export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/** The one name that it is known by; of several nobody knows which is meant. */
function readLeafId({ uris }: Certificate): SpiffeId {
  const [uri, ...more] = uris
  if (uri === undefined) throw new SpiffeRefusal('spiffe_id_missing')
  if (more.length > 0) throw new SpiffeRefusal('spiffe_id_ambiguous')
  const id = parseSpiffeId(uri)
  if (id.path === '') throw new SpiffeRefusal('spiffe_id_without_path')
  return id
}

/** X509-SVID §4: what is a leaf, and one to show as a client. */
function judgeLeaf(leaf: Certificate, nowMs: number): void {
  const { isCa, keyUsage, purposes, fromMs, untilMs } = leaf
  if (isCa) throw new SpiffeRefusal('leaf_is_ca')
  if (keyUsage === undefined || !keyUsage.isCritical) throw new SpiffeRefusal('key_usage_missing')
  if (!keyUsage.digitalSignature || keyUsage.keyCertSign || keyUsage.crlSign)
    throw new SpiffeRefusal('key_usage_refused')
  if (purposes !== undefined && !purposes.some((each) => clientPurposes.includes(each)))
    throw new SpiffeRefusal('extended_key_usage_refused')
  judgeForm(leaf)
  if (nowMs < fromMs) throw new SpiffeRefusal('certificate_not_yet_valid')
  if (nowMs > untilMs) throw new SpiffeRefusal('certificate_expired')
}

/** id-kp-clientAuth, anyExtendedKeyUsage. */
const clientPurposes: readonly string[] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']

/** RSA and ECDSA with SHA-2, RSA-PSS, Ed25519: of weaker digests a second certificate can be made. */
const signatureAlgorithms: readonly string[] = [
  '1.2.840.113549.1.1.10', '1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4', '1.3.101.112',
] // biome-ignore format: one list, read as one
const rsaBitsMin = 2048

function judgeForm({ notUnderstood, signatureAlgorithm, publicKey }: Certificate): void {
  if (notUnderstood.length > 0) throw new SpiffeRefusal('critical_extension')
  if (!signatureAlgorithms.includes(signatureAlgorithm)) throw new SpiffeRefusal('weak_algorithm')
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < rsaBitsMin) throw new SpiffeRefusal('weak_algorithm')
}

/** From the one that signed the leaf to an authority of the bundle. */
function findSigners(leaf: Certificate, intermediates: readonly Certificate[], bundle: TrustBundle): Certificate[] {
  const signers: Certificate[] = []
  let last = leaf
  for (;;) {
    const below = last
    const namesakes = bundle.x509Authorities.filter((authority) => isNamedBy(below, authority))
    const authority = namesakes.find((each) => isSignedBy(below, each))
    if (authority !== undefined) return [...signers, authority]
    const next = intermediates[signers.length]
    if (next === undefined || !isNamedBy(last, next))
      throw new SpiffeRefusal(namesakes.length > 0 ? 'bad_certificate_signature' : 'untrusted_signer')
    if (!isSignedBy(last, next)) throw new SpiffeRefusal('bad_certificate_signature')
    signers.push(next)
    last = next
  }
}

function isNamedBy({ issuer }: Certificate, { subject }: Certificate): boolean {
  return Buffer.compare(issuer, subject) === 0
}

function isSignedBy({ x509 }: Certificate, signer: Certificate): boolean {
  try {
    return x509.verify(signer.publicKey)
  } catch (error) {
    // A key of another kind than the signature.
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

/** `path`: the leaf, then who signed it, up to the authority. */
function judgeSigners(path: readonly Certificate[], nowMs: number): void {
  const [leaf, ...signers] = path
  let signersBelow = 0
  for (const [index, signer] of signers.entries()) {
    judgeForm(signer)
    if (!signer.isCa) throw new SpiffeRefusal('signer_not_ca')
    if (signer.keyUsage?.keyCertSign !== true) throw new SpiffeRefusal('signer_key_usage')
    if (nowMs < signer.fromMs || nowMs > signer.untilMs) throw new SpiffeRefusal('signer_not_valid_now')
    if (signer.pathLengthMax !== undefined && signersBelow > signer.pathLengthMax)
      throw new SpiffeRefusal('path_length')
    const below = [leaf, ...signers.slice(0, index)].flatMap((each) => each?.uris ?? [])
    judgeSignerId(signer)
    judgeConstraints(signer, below)
    // RFC 5280 §4.2.1.9: one that only renews its own key does not count.
    if (!isNamedBy(signer, signer)) signersBelow++
  }
}

function judgeConstraints({ constraints }: Certificate, uris: readonly string[]): void {
  if (constraints === undefined) return
  for (const uri of uris)
    if (!isPermitted(parseSpiffeId(uri).trustDomain, constraints)) throw new SpiffeRefusal('name_constraint')
}

/** X509-SVID §3.2: none, or that of a trust domain. It may be another one than the leaf's. */
function judgeSignerId({ uris }: Certificate): void {
  const [uri, ...more] = uris
  if (uri === undefined) return
  const isOfTrustDomain = more.length === 0 && /^spiffe:\/\/[a-z0-9._-]{1,255}$/.test(uri)
  if (!isOfTrustDomain) throw new SpiffeRefusal('signer_spiffe_id')
}

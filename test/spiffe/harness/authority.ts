import { createPrivateKey, createPublicKey, type KeyObject, sign, webcrypto, X509Certificate } from 'node:crypto'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'

/**
 * Authorities and SVIDs of trust domains that live for a test. Certificates are written byte by byte, for no issuer makes every
 * mistake that one can have; that the good ones are good, OpenSSL says in x509.test.ts.
 */

const hour = 3_600_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export interface Certified {
  der: Buffer
  subject: string
  uris: readonly string[]
  keys: webcrypto.CryptoKeyPair
}

export interface CertificateWish {
  subject?: string
  uris?: readonly string[]
  /** Raw DER of the alternative names, in the place of `uris`. */
  names?: Buffer
  ca?: boolean
  pathLength?: number
  /** Names of bits; undefined: no extension. */
  usage?: readonly ('digitalSignature' | 'keyCertSign' | 'crlSign')[] | undefined
  usageIsCritical?: boolean
  purposes?: readonly string[] | undefined
  permitted?: readonly string[]
  excluded?: readonly string[]
  notBefore?: number
  notAfter?: number
  more?: readonly Buffer[]
  keys?: webcrypto.CryptoKeyPair
  hash?: 'SHA-1' | 'SHA-256'
  algorithm?: webcrypto.RsaHashedKeyGenParams
}

export const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(contents)
  const { length } = body
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}
const uriName = (uri: string) => der(0x86, Buffer.from(uri, 'latin1'))
const oidBytes: Record<string, Buffer> = {
  serverAuth: Buffer.from([0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]),
  clientAuth: Buffer.from([0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2]),
}
const bits = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 }

/** One of id-ce (2.5.29). */
export const extension = (arc: number, weight: 'critical' | 'plain', value: Buffer): Buffer =>
  der(
    0x30,
    der(6, Buffer.from([0x55, 0x1d, arc])),
    weight === 'critical' ? der(1, Buffer.from([0xff])) : Buffer.alloc(0),
    der(4, value),
  )

function extensionsOf(wish: CertificateWish): Buffer[] {
  const { uris = [], names, ca, pathLength, usage, usageIsCritical = true, purposes, permitted, excluded } = wish
  const all = [...(wish.more ?? [])]
  if (names !== undefined || uris.length > 0) all.push(extension(17, 'plain', names ?? der(0x30, ...uris.map(uriName))))
  if (ca !== undefined) {
    const fields = [
      ...(ca ? [Buffer.from([1, 1, 0xff])] : []),
      ...(pathLength === undefined ? [] : [Buffer.from([2, 1, pathLength])]),
    ]
    all.push(extension(19, 'critical', der(0x30, ...fields)))
  }
  if (usage !== undefined) {
    const byte = usage.reduce((sum, name) => sum | bits[name], 0)
    all.push(extension(15, usageIsCritical ? 'critical' : 'plain', Buffer.from([3, 2, 0, byte])))
  }
  if (purposes !== undefined)
    all.push(extension(37, 'plain', der(0x30, ...purposes.map((name) => oidBytes[name] ?? Buffer.alloc(0)))))
  if (permitted !== undefined || excluded !== undefined) {
    const trees = (tag: number, hosts: readonly string[] = []) =>
      hosts.length === 0 ? [] : [der(tag, ...hosts.map((host) => der(0x30, uriName(host))))]
    all.push(extension(30, 'critical', der(0x30, ...trees(0xa0, permitted), ...trees(0xa1, excluded))))
  }
  return all
}

let serial = 0x1000

/** `O=…, CN=…`, and nothing more than that. */
function nameOf(subject: string): Buffer {
  const arcs: Record<string, number> = { CN: 3, O: 10 }
  const parts = subject.split(', ').map((part) => {
    const [key = '', ...value] = part.split('=')
    const oid = der(6, Buffer.from([0x55, 4, arcs[key] ?? 3]))
    return der(0x31, der(0x30, oid, der(0x0c, Buffer.from(value.join('=')))))
  })
  return der(0x30, ...parts)
}

const timeOf = (ms: number) => der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`))

/** ecdsa-with-SHA… (1.2.840.10045.4), …WithRSAEncryption (1.2.840.113549.1.1). */
function algorithmOf(key: KeyObject, hash: 'SHA-1' | 'SHA-256'): Buffer {
  const ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, ...(hash === 'SHA-1' ? [1] : [3, 2])]
  const rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, hash === 'SHA-1' ? 5 : 11]
  return key.asymmetricKeyType === 'ec'
    ? der(0x30, der(6, Buffer.from(ecdsa)))
    : der(0x30, der(6, Buffer.from(rsa)), Buffer.from([5, 0]))
}

/** `by` undefined: it signs itself. */
export async function certify(wish: CertificateWish, by?: Certified): Promise<Certified> {
  const chosen = wish.algorithm ?? algorithm
  const keys =
    wish.keys ?? ((await webcrypto.subtle.generateKey(chosen, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair)
  const { subject = `CN=unit ${serial}`, hash = 'SHA-256' } = wish
  const signer = await privateKeyOf(by?.keys ?? keys)
  const spki = createPublicKey(await privateKeyOf(keys)).export({ type: 'spki', format: 'der' })
  const now = Date.now()
  const extensions = extensionsOf(wish)
  const tbs = der(
    0x30,
    der(0xa0, Buffer.from([2, 1, 2])),
    der(2, Buffer.from([0x10, serial >> 8, serial++ & 0xff])),
    algorithmOf(signer, hash),
    nameOf(by?.subject ?? subject),
    der(0x30, timeOf(wish.notBefore ?? now - hour), timeOf(wish.notAfter ?? now + hour)),
    nameOf(subject),
    spki,
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
  )
  const signature = sign(hash.replace('-', ''), tbs, signer)
  const whole = der(0x30, tbs, algorithmOf(signer, hash), der(3, Buffer.from([0]), signature))
  return { der: whole, subject, uris: wish.uris ?? [], keys }
}

export async function privateKeyOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<KeyObject> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  return createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' })
}

export interface Authority extends Certified {
  trustDomain: string
  jwtKeys: webcrypto.CryptoKeyPair
}

export async function makeAuthority(trustDomain: string, wish: CertificateWish = {}): Promise<Authority> {
  const root = await certify({
    subject: `O=${trustDomain}, CN=root`,
    uris: [`spiffe://${trustDomain}`],
    ca: true,
    usage: ['keyCertSign', 'crlSign'],
    ...wish,
  })
  const jwtKeys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  return { ...root, trustDomain, jwtKeys }
}

/** As SPIRE would issue it. */
export const leafWish = (id: string): CertificateWish => ({
  subject: 'O=SPIRE, CN=workload',
  uris: [id],
  ca: false,
  usage: ['digitalSignature'],
  purposes: ['serverAuth', 'clientAuth'],
})

export const issue = (by: Certified, id: string, wish: CertificateWish = {}): Promise<Certified> =>
  certify({ ...leafWish(id), ...wish }, by)

export interface BundleWish {
  sequence?: number
  refreshHint?: number
  roots?: readonly Certified[]
}

/** The bundle of its trust domain, in SPIFFE's format. */
export async function bundleOf(
  authority: Authority,
  { sequence = 1, refreshHint = 60, roots = [authority] }: BundleWish = {},
): Promise<object> {
  const x509 = await Promise.all(
    roots.map(async (root) => ({
      use: 'x509-svid',
      ...(await exportJWK(root.keys.publicKey)),
      x5c: [root.der.toString('base64')],
    })),
  )
  const jwt = { use: 'jwt-svid', kid: 'k1', ...(await exportJWK(authority.jwtKeys.publicKey)) }
  return { keys: [...x509, jwt], spiffe_sequence: sequence, spiffe_refresh_hint: refreshHint }
}

export interface TokenWish {
  claims?: JWTPayload
  header?: Record<string, unknown>
  key?: webcrypto.CryptoKey
}

export function mintJwtSvid(
  { jwtKeys }: Authority,
  id: string,
  audience: string,
  { claims = {}, header = {}, key = jwtKeys.privateKey }: TokenWish = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const payload = { sub: id, aud: [audience], iat: now, exp: now + 300, ...claims }
  const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined))
  const head = Object.entries({ alg: 'ES256', kid: 'k1', typ: 'JWT', ...header }).filter(
    ([, value]) => value !== undefined,
  )
  return new SignJWT(kept).setProtectedHeader({ alg: 'ES256', ...Object.fromEntries(head) }).sign(key)
}

/** PEM as TLS wants it. */
export async function pemOf(chain: readonly Certified[]): Promise<{ cert: string; key: string }> {
  const [leaf] = chain
  if (leaf === undefined) throw new Error('no certificate')
  const key = (await privateKeyOf(leaf.keys)).export({ type: 'pkcs8', format: 'pem' }).toString()
  return { cert: chain.map((each) => new X509Certificate(each.der).toString()).join(''), key }
}

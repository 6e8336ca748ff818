import { execFileSync } from 'node:child_process'
import { webcrypto, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { parseBundle } from '../../packages/sensor/src/identity/spiffe/bundle.ts'
import { type SpiffeCode, SpiffeRefusal } from '../../packages/sensor/src/identity/spiffe/spiffe-refusal.ts'
import { verifyX509Svid } from '../../packages/sensor/src/identity/spiffe/x509-svid.ts'
import {
  type Authority,
  bundleOf,
  type Certified,
  certify,
  der,
  extension,
  issue,
  leafWish,
  makeAuthority,
  pemOf,
} from './harness/authority.ts'

const id = 'spiffe://example.org/ns/prod/sa/agent'
const now = Date.now()
const hour = 3_600_000
const day = 24 * hour
let home: Authority
let other: Authority
let lookup: (trustDomain: string) => ReturnType<typeof parseBundle>

beforeAll(async () => {
  home = await makeAuthority('example.org')
  other = await makeAuthority('other.test')
  const bundles = new Map([
    ['example.org', parseBundle(await bundleOf(home))],
    ['other.test', parseBundle(await bundleOf(other))],
  ])
  lookup = (trustDomain) => {
    const bundle = bundles.get(trustDomain)
    if (bundle === undefined) throw new SpiffeRefusal('unknown_trust_domain')
    return bundle
  }
})

const verify = (chain: readonly (Certified | Uint8Array)[], nowMs = now) =>
  verifyX509Svid(
    chain.map((each) => ('der' in each ? each.der : each)),
    lookup,
    nowMs,
  )

const signing = { ca: true, usage: ['keyCertSign'] as const }

it('a leaf under an authority of its trust domain is verified [SV-3]', async () => {
  const leaf = await issue(home, id)
  const svid = verify([leaf])
  expect(svid.spiffeId).toEqual({ id, trustDomain: 'example.org', path: '/ns/prod/sa/agent' })
  expect(svid.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect(svid.expiresMs).toBeGreaterThan(now)
})

it('one below intermediates, with other names, without purposes, of RSA, and with its root sent along, too [SV-3]', async () => {
  const first = await certify({ subject: 'CN=first', uris: ['spiffe://example.org'], pathLength: 1, ...signing }, home)
  const second = await certify({ subject: 'CN=second', pathLength: 0, permitted: ['example.org'], ...signing }, first)
  const leaf = await issue(second, id)
  expect(verify([leaf, second, first]).spiffeId.id).toBe(id)
  expect(verify([leaf, second, first, home]).spiffeId.id).toBe(id)
  const names = der(0x30, der(0x82, Buffer.from('agent.example.org')), der(0x86, Buffer.from(id)))
  expect(verify([await issue(home, id, { names })]).spiffeId.id).toBe(id)
  expect(verify([await issue(home, id, { purposes: undefined })]).spiffeId.id).toBe(id)
  const rsa = {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  }
  expect(verify([await issue(home, id, { algorithm: rsa })]).spiffeId.id).toBe(id)
})

it('OpenSSL takes our certificates for good, and we take those of OpenSSL [SV-3]', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-openssl-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const write = async (name: string, chain: readonly Certified[]) =>
    writeFileSync(join(folder, name), (await pemOf(chain)).cert)
  const middle = await certify({ subject: 'CN=middle', pathLength: 0, permitted: ['example.org'], ...signing }, home)
  const ours = await issue(middle, id)
  await write('root.pem', [home])
  await write('middle.pem', [middle])
  await write('leaf.pem', [ours])
  expect(
    openssl(
      'verify',
      '-purpose',
      'sslclient',
      '-ignore_critical',
      '-CAfile',
      'root.pem',
      '-untrusted',
      'middle.pem',
      'leaf.pem',
    ),
  ).toContain('leaf.pem: OK')

  const ca =
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectAltName=URI:spiffe://example.org\n'
  const leaf = `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=URI:${id},DNS:agent\n`
  writeFileSync(join(folder, 'ca.ext'), ca)
  writeFileSync(join(folder, 'leaf.ext'), leaf)
  openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.csr', '-subj', '/O=OpenSSL')
  openssl('x509', '-req', '-in', 'ca.csr', '-signkey', 'ca.key', '-extfile', 'ca.ext', '-days', '1', '-out', 'ca.pem')
  openssl(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-384',
    '-nodes',
    '-keyout',
    'l.key',
    '-out',
    'l.csr',
    '-subj',
    '/O=W',
  )
  openssl(
    'x509',
    '-req',
    '-in',
    'l.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-extfile',
    'leaf.ext',
    '-days',
    '1',
    '-CAcreateserial',
    '-out',
    'l.pem',
  )
  const x5c = [new X509Certificate(readFileSync(join(folder, 'ca.pem'))).raw.toString('base64')]
  const bundle = parseBundle({ keys: [{ use: 'x509-svid', kty: 'RSA', x5c }] })
  const theirs = new X509Certificate(readFileSync(join(folder, 'l.pem'))).raw
  expect(verifyX509Svid([theirs], () => bundle, Date.now() + 1000).spiffeId.id).toBe(id)
})

it('during a rotation both authorities count, and they may share their name [SV-2] [SV-3]', async () => {
  const next = await certify({ subject: home.subject, uris: home.uris, ca: true, usage: ['keyCertSign'] })
  const bundle = parseBundle(await bundleOf(home, { roots: [next, home] }))
  for (const by of [home, next])
    expect(verifyX509Svid([(await issue(by, id)).der], () => bundle, now).spiffeId.id).toBe(id)
})

const critical = extension(54, 'critical', Buffer.from([2, 1, 0]))
const rsa1024 = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
}

/** A chain below `home`, with what is wrong with it. */
const hostile: [what: string, code: SpiffeCode, make: () => Promise<(Certified | Uint8Array)[]>][] = [
  ['no certificate', 'certificate_missing', async () => []],
  ['no certificate, but bytes', 'certificate_malformed', async () => [Buffer.from('not a certificate')]],
  ['a certificate cut short', 'certificate_malformed', async () => [(await issue(home, id)).der.subarray(0, -1)]],
  ['bytes after it', 'certificate_malformed', async () => [Buffer.concat([(await issue(home, id)).der, Buffer.from([0])])]],
  ['more intermediates than anybody needs', 'certificate_chain_too_long', async () => [await issue(home, id), ...Array(9).fill(home)]],
  ['no URI', 'spiffe_id_missing', async () => [await issue(home, id, { uris: [] })]],
  ['a DNS name that looks like one', 'spiffe_id_missing', async () => [await issue(home, id, { names: der(0x30, der(0x82, Buffer.from(id))) })]],
  ['an ID in the common name only', 'spiffe_id_missing', async () => [await issue(home, id, { uris: [], subject: `CN=URI:${id}` })]],
  ['two SPIFFE IDs', 'spiffe_id_ambiguous', async () => [await issue(home, id, { uris: [id, 'spiffe://example.org/admin'] })]],
  ['a second URI of another scheme', 'spiffe_id_ambiguous', async () => [await issue(home, id, { uris: [id, 'https://example.org/'] })]],
  ['the names twice', 'certificate_malformed', async () => [await issue(home, id, { more: [extension(17, 'plain', der(0x30, der(0x86, Buffer.from(id))))] })]],
  ['one name that Node would show as two', 'spiffe_id_malformed', async () => [await issue(home, id, { uris: [`${id}, URI:spiffe://example.org/admin`] })]],
  ['a NUL in the ID', 'spiffe_id_malformed', async () => [await issue(home, id, { uris: ['spiffe://example.org/admin\0.evil'] })]],
  ['an ID beyond ASCII', 'certificate_malformed', async () => [await issue(home, id, { uris: ['spiffe://example.org/\xe4'] })]],
  ['another scheme', 'spiffe_id_malformed', async () => [await issue(home, id, { uris: ['https://example.org/agent'] })]],
  ['upper case in the trust domain', 'spiffe_id_malformed', async () => [await issue(home, id, { uris: ['spiffe://EXAMPLE.org/agent'] })]],
  ['dots in the path', 'spiffe_id_malformed', async () => [await issue(home, id, { uris: ['spiffe://example.org/a/../admin'] })]],
  ['no path', 'spiffe_id_without_path', async () => [await issue(home, 'spiffe://example.org')]],
  ['an authority as a leaf', 'leaf_is_ca', async () => [await issue(home, id, { ca: true })]],
  ['no key usage', 'key_usage_missing', async () => [await issue(home, id, { usage: undefined })]],
  ['a key usage that is not critical', 'key_usage_missing', async () => [await issue(home, id, { usageIsCritical: false })]],
  ['keyCertSign in a leaf', 'key_usage_refused', async () => [await issue(home, id, { usage: ['digitalSignature', 'keyCertSign'] })]],
  ['cRLSign in a leaf', 'key_usage_refused', async () => [await issue(home, id, { usage: ['digitalSignature', 'crlSign'] })]],
  ['no digitalSignature', 'key_usage_refused', async () => [await issue(home, id, { usage: [] })]],
  ['for servers only', 'extended_key_usage_refused', async () => [await issue(home, id, { purposes: ['serverAuth'] })]],
  ['a critical extension that nobody knows', 'critical_extension', async () => [await issue(home, id, { more: [critical] })]],
  ['SHA-1', 'weak_algorithm', async () => [await issue(home, id, { hash: 'SHA-1' })]],
  ['RSA of 1024 bits', 'weak_algorithm', async () => [await issue(home, id, { algorithm: rsa1024 })]],
  ['expired', 'certificate_expired', async () => [await issue(home, id, { notBefore: now - 2 * hour, notAfter: now - hour })]],
  ['of tomorrow', 'certificate_not_yet_valid', async () => [await issue(home, id, { notBefore: now + day, notAfter: now + 2 * day })]],
  ['a trust domain that nobody trusts', 'unknown_trust_domain', async () => [await issue(home, 'spiffe://nobody.test/agent')]],
  ['a trust domain below a trusted one', 'unknown_trust_domain', async () => [await issue(home, 'spiffe://sub.example.org/agent')]],
  ['the authority of another trust domain', 'untrusted_signer', async () => [await issue(other, id)]],
  ['our authority for another trust domain', 'untrusted_signer', async () => [await issue(home, 'spiffe://other.test/agent')]],
  ['signed by itself', 'untrusted_signer', async () => [await certify(leafWish(id))]],
  ['signed by itself under the name of the authority', 'bad_certificate_signature', async () => [await certify({ ...leafWish(id), subject: home.subject })]],
  ['an authority with the name of ours', 'bad_certificate_signature', async () => [await issue(await makeAuthority('example.org'), id)]],
  ['a changed byte', 'bad_certificate_signature', async () => [withLastByteChanged((await issue(home, id)).der)]],
  ['an intermediate that is missing', 'untrusted_signer', async () => [await issue(await certify({ subject: 'CN=i', ...signing }, home), id)]],
  ['intermediates in the wrong order', 'untrusted_signer', async () => {
    const first = await certify({ subject: 'CN=first', ...signing }, home)
    const second = await certify({ subject: 'CN=second', ...signing }, first)
    return [await issue(second, id), first, second]
  }],
  ['an intermediate that did not sign', 'bad_certificate_signature', async () => {
    const real = await certify({ subject: 'CN=i', ...signing }, home)
    return [await issue(real, id), await certify({ subject: 'CN=i', ...signing }, home)]
  }],
  ['a leaf signed by a leaf', 'signer_not_ca', async () => {
    const leaf = await issue(home, 'spiffe://example.org/evil', { subject: 'CN=evil' })
    return [await issue(leaf, id), leaf]
  }],
  ['a signer without basic constraints', 'signer_not_ca', async () => {
    const signer = await certify({ subject: 'CN=i', usage: ['keyCertSign'] }, home)
    return [await issue(signer, id), signer]
  }],
  ['a signer without keyCertSign', 'signer_key_usage', async () => {
    const signer = await certify({ subject: 'CN=i', ca: true, usage: ['digitalSignature'] }, home)
    return [await issue(signer, id), signer]
  }],
  ['a signer with a workload’s ID', 'signer_spiffe_id', async () => {
    const signer = await certify({ subject: 'CN=i', uris: ['spiffe://example.org/ca'], ...signing }, home)
    return [await issue(signer, id), signer]
  }],
  ['a signer with two IDs', 'signer_spiffe_id', async () => {
    const signer = await certify({ subject: 'CN=i', uris: ['spiffe://example.org', 'spiffe://other.test'], ...signing }, home)
    return [await issue(signer, id), signer]
  }],
  ['a signer that expired', 'signer_not_valid_now', async () => {
    const signer = await certify({ subject: 'CN=i', notBefore: now - 2 * hour, notAfter: now - hour, ...signing }, home)
    return [await issue(signer, id), signer]
  }],
  ['a signer with a critical extension that nobody knows', 'critical_extension', async () => {
    const signer = await certify({ subject: 'CN=i', more: [critical], ...signing }, home)
    return [await issue(signer, id), signer]
  }],
  ['a longer path than allowed', 'path_length', async () => {
    const first = await certify({ subject: 'CN=first', pathLength: 0, ...signing }, home)
    const second = await certify({ subject: 'CN=second', ...signing }, first)
    return [await issue(second, id), second, first]
  }],
  ['a trust domain that the signer may not sign for', 'name_constraint', async () => {
    const signer = await certify({ subject: 'CN=i', permitted: ['other.test'], ...signing }, home)
    return [await issue(signer, id), signer]
  }],
  ['only trust domains below the permitted one', 'name_constraint', async () => {
    const signer = await certify({ subject: 'CN=i', permitted: ['.example.org'], ...signing }, home)
    return [await issue(signer, id), signer]
  }],
  ['an excluded trust domain, two signers further up', 'name_constraint', async () => {
    const first = await certify({ subject: 'CN=first', excluded: ['example.org'], ...signing }, home)
    const second = await certify({ subject: 'CN=second', ...signing }, first)
    return [await issue(second, id), second, first]
  }],
] // biome-ignore format: one row, one case

it.each(hostile)('%s: %s [SV-4]', async (_, code, make) => {
  const chain = await make()
  expect(() => verify(chain)).toThrow(expect.objectContaining({ name: 'SpiffeRefusal', code }))
})

it('an authority that expired vouches for nobody, whatever its leaves say [SV-4]', async () => {
  const leaf = await issue(home, id, { notAfter: now + 10 * day })
  expect(verify([leaf]).expiresMs).toBeLessThanOrEqual(now + 2 * hour)
  expect(() => verify([leaf], now + 2 * hour)).toThrow(expect.objectContaining({ code: 'signer_not_valid_now' }))
})

it('a chain of crossing authorities costs no more than its length [SV-4]', async () => {
  const keys = (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const loop = await certify({ subject: 'CN=loop', keys, ...signing })
  const leaf = await issue(loop, id)
  const started = performance.now()
  expect(() => verify([leaf, ...Array(8).fill(loop)])).toThrow(expect.objectContaining({ code: 'untrusted_signer' }))
  expect(performance.now() - started).toBeLessThan(200)
})

it('bytes that were changed anywhere give a refusal, and never another identity [SV-4]', async () => {
  const { der } = await issue(home, id)
  for (let at = 0; at < der.length; at++) {
    const changed = Buffer.from(der)
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
    expect(() => verify([changed])).toThrow(SpiffeRefusal)
  }
})

function withLastByteChanged(der: Buffer): Buffer {
  const changed = Buffer.from(der)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  return changed
}

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { parseBundle, parseBundleText } from '../../packages/sensor/src/identity/spiffe/bundle.ts'
import { type BundleSource, openTrust } from '../../packages/sensor/src/identity/spiffe/trust.ts'
import { verifyX509Svid } from '../../packages/sensor/src/identity/spiffe/x509-svid.ts'
import { bundleOf, issue, makeAuthority } from './harness/authority.ts'

const id = 'spiffe://example.org/agent'

function follow(...sources: BundleSource[]) {
  const said: string[] = []
  const trust = openTrust(sources, {
    fetch,
    diagnose: (code, sentence) => said.push(`${code} ${sentence}`),
    lookEveryMs: 10,
    refreshMsMin: 20,
  })
  onTestFinished(() => trust.close())
  return { trust, said }
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-bundle-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

it('a bundle holds what it is known to hold, and nothing unknown spoils it [SV-2]', async () => {
  const home = await makeAuthority('example.org')
  const { keys, ...rest } = (await bundleOf(home, { sequence: 7, refreshHint: 120 })) as { keys: object[] }
  const unknown = [
    { use: 'wit-svid', kty: 'EC' },
    { kty: 'EC' },
    { use: 'jwt-svid', kty: 'OKP', kid: 'x' },
    'text',
    null,
  ]
  const incomplete = [
    { use: 'x509-svid', kty: 'EC' },
    { use: 'x509-svid', kty: 'EC', x5c: [] },
    { use: 'jwt-svid', kty: 'EC' },
  ]
  const bundle = parseBundle({ keys: [...unknown, ...incomplete, ...keys], ...rest, more: true })
  expect(bundle.x509Authorities).toHaveLength(1)
  expect([...bundle.jwtAuthorities.keys()]).toEqual(['k1'])
  expect(bundle).toMatchObject({ sequence: 7, refreshHintMs: 120_000 })
})

it.each([
  ['not_json', 'not json'],
  ['not_a_bundle', '[]'],
  ['not_a_bundle', '{}'],
  ['not_a_bundle', '{"keys":[],"spiffe_sequence":"1"}'],
  ['not_a_bundle', '{"keys":[],"spiffe_refresh_hint":-1}'],
  ['bad_certificate', '{"keys":[{"use":"x509-svid","kty":"EC","x5c":["AAAA"]}]}'],
  ['bad_key', '{"keys":[{"use":"jwt-svid","kid":"a","kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}'],
  ['too_many_keys', JSON.stringify({ keys: Array(257).fill({}) })],
])('is refused as %s: %s [SV-2]', (code, text) => {
  expect(() => parseBundleText(text)).toThrow(expect.objectContaining({ name: 'BundleError', code }))
})

it('a file is read again when another takes its place, and a bad one changes nothing [SV-10]', async () => {
  const [first, second] = [await makeAuthority('example.org'), await makeAuthority('example.org')]
  const path = join(makeFolder(), 'bundle.json')
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  const { trust, said } = follow({ trustDomain: 'example.org', bundle: path })
  await trust.ready
  expect(() => trust.bundleOf('example.org')).toThrow(expect.objectContaining({ code: 'bundle_unavailable' }))
  expect(() => trust.bundleOf('other.test')).toThrow(expect.objectContaining({ code: 'unknown_trust_domain' }))
  const [one, two] = [await issue(first, id), await issue(second, id)]
  const isGood = ({ der }: { der: Buffer }) => {
    try {
      return verifyX509Svid([der], trust.bundleOf, Date.now()).spiffeId.id === id
    } catch {
      return false
    }
  }
  replace(JSON.stringify(await bundleOf(first)))
  await expect.poll(() => isGood(one)).toBe(true)
  const { generation } = trust
  replace('{ "keys": ')
  await expect.poll(() => said.join('\n')).toContain('its file cannot be used (not_json); the last good one is kept')
  expect([isGood(one), isGood(two), trust.generation]).toEqual([true, false, generation])
  replace(JSON.stringify(await bundleOf(second)))
  await expect.poll(() => [isGood(one), isGood(two)]).toEqual([false, true])
  expect(trust.generation).toBeGreaterThan(generation)
  expect(said[0]).toContain('AFD_BUNDLE_UNAVAILABLE the bundle of example.org: its file cannot be read (ENOENT)')
})

it('an endpoint is asked as it hints, keeps counting while it is down, and does not go back [SV-10]', async () => {
  const home = await makeAuthority('example.org')
  const next = await makeAuthority('example.org')
  const answer = { status: 200, body: JSON.stringify(await bundleOf(home, { sequence: 5, refreshHint: 0 })), asked: 0 }
  const server = createServer((_, response) => {
    answer.asked++
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bundle`
  const { trust, said } = follow({ trustDomain: 'example.org', bundle: url })
  await trust.ready
  const serialOf = () => trust.bundleOf('example.org').x509Authorities[0]?.x509.serialNumber
  const first = serialOf()
  const asked = answer.asked
  await expect.poll(() => answer.asked).toBeGreaterThan(asked + 1)

  answer.status = 500
  await expect.poll(() => said.join('\n')).toContain('its endpoint answers 500; the last good one is kept')
  expect(serialOf()).toBe(first)
  Object.assign(answer, { status: 200, body: JSON.stringify(await bundleOf(next, { sequence: 4 })) })
  await expect.poll(() => said.join('\n')).toContain('went back to an earlier version')
  expect(serialOf()).toBe(first)
  answer.body = JSON.stringify(await bundleOf(next, { sequence: 6, refreshHint: 3600 }))
  await expect.poll(serialOf).not.toBe(first)
  const last = answer.asked
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(answer.asked).toBe(last)
  // One line for each thing that was wrong, not for each try.
  expect(said.length).toBeLessThan(4)
})

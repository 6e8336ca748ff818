import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseSpiffeId } from '../../packages/sensor/src/identity/spiffe/spiffe-id.ts'
import { SpiffeRefusal } from '../../packages/sensor/src/identity/spiffe/spiffe-refusal.ts'

const long = (bytes: number) => `spiffe://d/${'a'.repeat(bytes - 11)}`

it.each([
  ['spiffe://example.org', 'example.org', ''],
  ['spiffe://example.org/service', 'example.org', '/service'],
  ['spiffe://staging.example.com/payments/web-fe', 'staging.example.com', '/payments/web-fe'],
  ['spiffe://k8s-west.example.com/ns/staging/sa/default', 'k8s-west.example.com', '/ns/staging/sa/default'],
  ['spiffe://example.com/9eebccd2-12bf-40a6-b262-65fe0487d453', 'example.com', '/9eebccd2-12bf-40a6-b262-65fe0487d453'],
  ['spiffe://a_b-c.0/Upper.Case_ok-1', 'a_b-c.0', '/Upper.Case_ok-1'],
  ['spiffe://td/...', 'td', '/...'],
  [`spiffe://${'a'.repeat(255)}/x`, 'a'.repeat(255), '/x'],
  [long(2048), 'd', `/${'a'.repeat(2037)}`],
])('%s is a SPIFFE ID [SV-1]', (text, trustDomain, path) => {
  expect(parseSpiffeId(text)).toEqual({ id: text, trustDomain, path })
})

it.each([
  '', 'spiffe', 'spiffe:', 'spiffe:/', 'spiffe://', 'spiffe:///path', 'SPIFFE://example.org/a', 'Spiffe://example.org/a',
  'https://example.org/a', 'spiffe://Example.org/a', 'spiffe://example.org:8443/a', 'spiffe://example.org:/a',
  'spiffe://user@example.org/a', 'spiffe://user:pw@example.org/a', 'spiffe://[::1]/a', 'spiffe://exa mple/a',
  'spiffe://ex%61mple.org/a', 'spiffe://münchen.example/a', 'spiffe://example.org?x=1', 'spiffe://example.org/a?x=1',
  'spiffe://example.org#f', 'spiffe://example.org/a#f', 'spiffe://example.org/', 'spiffe://example.org/a/',
  'spiffe://example.org//a', 'spiffe://example.org/a//b', 'spiffe://example.org/.', 'spiffe://example.org/a/./b',
  'spiffe://example.org/..', 'spiffe://example.org/a/../b', 'spiffe://example.org/a%2fb', 'spiffe://example.org/a%20b',
  'spiffe://example.org/a b', 'spiffe://example.org/ä', 'spiffe://example.org/a\0', 'spiffe://example.org/a\n',
  'spiffe://example.org\0.evil/a', 'spiffe://example.org/a;b', 'spiffe://example.org/a:b', 'spiffe://example.org/a@b',
  'spiffe://example.org\\a', ' spiffe://example.org/a', 'spiffe://example.org/a ', `spiffe://${'a'.repeat(256)}/x`, long(2049),
])('%j is none [SV-1]', (text) => {
  expect(() => parseSpiffeId(text)).toThrow(expect.objectContaining({ code: 'spiffe_id_malformed' }))
}) // biome-ignore format: one list, read as one

it('whatever is accepted has one spelling and no place for another [SV-1]', () => {
  const piece = fc.oneof(
    fc.constantFrom('spiffe://', 'a', 'example.org', '/', '//', '.', '..', '%41', ':', '@', '?', '#'),
    fc.string(),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      (text) => {
        try {
          const { trustDomain, path } = parseSpiffeId(text)
          expect(`spiffe://${trustDomain}${path}`).toBe(text)
          expect(text).toMatch(/^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/)
        } catch (error) {
          if (!(error instanceof SpiffeRefusal)) throw error
        }
      },
    ),
    { numRuns: 2000 },
  )
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findSalient } from './salient.ts'

const namesIn = (text: string) => [...findSalient(text)].filter(({ kind }) => kind === 'name').map(({ value }) => value)
const passagesIn = (text: string) =>
  [...findSalient(text)].filter(({ kind }) => kind === 'passage').map(({ value }) => value)

describe('a value that is found again', () => {
  it.each([
    ['write to Ada.Byron@Example.org.', ['ada.byron@example.org']],
    ['customer CUST-2291-XK and ACME_77_NORTH', ['cust-2291-xk', 'acme_77_north']],
    ['id 0b9c2b1e-7d6a-4f0e-9a53-4d1c8ab3f010', ['0b9c2b1e-7d6a-4f0e-9a53-4d1c8ab3f010']],
    ['card 4111 1111 1111 1111, or 4111-1111-1111-1111', ['4111111111111111', '4111111111111111']],
    ['DE89 3704 0044 0532 0130 00', ['370400440532013000', 'de89370400440532013000']],
    ['DE89370400440532013000', ['de89370400440532013000']],
    ['hT7kq92Lmzp0', ['ht7kq92lmzp0']],
    ['Donaudampfschifffahrtsgesellschaft', ['donaudampfschifffahrtsgesellschaft']],
    ['{"customer_2291_name":"x","b":"CUST-2291-XK"}', ['cust-2291-xk']],
  ])('%s: %j [VF-1]', (text, values) => expect(namesIn(text)).toEqual(values))

  it.each([
    'The quick brown fox jumps over the lazy dog', 'pin 4711', '+43 660 123 4567', '192.168.100.200', '536-22-8726', '2026-11-20',
    '2026-11-20T10:11:12.123Z', '1796000000000', 'version 1.22.3', 'a1b2', 'B@c.d', 'confidential', 'order 20261120',
  ])('none in %s [VF-1]', (text) => expect(namesIn(text)).toEqual([])) // biome-ignore format: a list

  it('is spelt the same wherever it stands [VF-1]', () => {
    const value = fc.stringMatching(/^[a-z]{4}[0-9]{4}[a-z]{4}$/)
    const around = fc.stringMatching(/^[ "'(),:;{}[\]<>=|]{0,6}$/)
    fc.assert(
      fc.property(value, around, around, (each, before, after) => {
        expect(namesIn(`x ${before}${each.toUpperCase()}${after.replace(/^"\s*:/, '')} y`)).toContain(each)
      }),
    )
  })
})

describe('passages', () => {
  const word = fc.stringMatching(/^[a-z]{5,9}$/)

  it('of two texts that share thirteen words in a row meet, whatever stands around them [VF-2]', () => {
    const words = (min: number, max: number) => fc.array(word, { minLength: min, maxLength: max })
    fc.assert(
      fc.property(words(13, 20), words(0, 20), words(0, 20), words(0, 20), words(0, 20), (shared, a, b, c, d) => {
        const one = new Set(passagesIn([...a, ...shared, ...b].join(' ')))
        const other = passagesIn([...c, ...shared, ...d].join(', '))
        expect(other.some((passage) => one.has(passage))).toBe(true)
      }),
    )
  })

  it('are those that a window by window search finds [VF-2]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'epsilon'), { maxLength: 60 }),
        (words) => {
          const all = [...findSalient(words.join(' '))]
          const weightOf = new Map(all.map(({ value, weight }) => [value, weight]))
          const passages = words.slice(5).map((_, i) => words.slice(i, i + 6).join(' '))
          // Every window holds one that was taken, and none lighter that was not.
          for (let from = 0; from + 8 <= passages.length; from++) {
            const taken = passages.slice(from, from + 8).filter((passage) => weightOf.has(passage))
            expect(taken.length).toBeGreaterThan(0)
          }
          expect(all.every(({ value }) => passages.includes(value))).toBe(true)
        },
      ),
    )
  })
})

it('hostile texts cost linear time [VF-3]', () => {
  const took = (text: string) => {
    const start = performance.now()
    for (const _ of findSalient(text));
    return performance.now() - start
  }
  for (const unit of ['1 ', '1-', 'a@', 'a.', '"', 'AB12 ', '\u0301', 'é', '1', 'a', '\ud800', 'AA00 AAAA AAA', '_ '])
    expect([unit, took(unit.repeat(65_536 / unit.length)) < 500]).toEqual([unit, true])
})

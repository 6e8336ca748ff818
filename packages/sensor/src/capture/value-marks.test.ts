import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMarker } from '../crypto/digester.ts'
import { createRedactor } from '../redact/redactor.ts'
import { LineScan, scanBytes } from './scan.ts'
import { markArguments, markResult } from './value-marks.ts'

const marker = createMarker(Buffer.alloc(32, 7))
const redactor = createRedactor({ correlationKey: Buffer.alloc(32, 7) })
const ofArguments = (json: string) => markArguments(marker, Buffer.from(json), redactor)
const lineOf = (text: string) =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } }))

function ofResult(line: Uint8Array, pieceBytes = line.length) {
  const scan = new LineScan()
  for (let at = 0; at < line.length; at += pieceBytes) scan.push(line.subarray(at, at + pieceBytes))
  const content = scan.end().messages[0]?.content
  return content === undefined ? undefined : markResult(marker, content)
}

it('how a result is cut changes nothing [VF-3]', () => {
  const word = fc.constantFrom(
    'CUST-2291-XK',
    'ada@customers.example',
    'Grüße',
    'the',
    '\n',
    '"quoted"',
    '4111 1111 1111 1111',
    '😀',
    '\\',
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (words, pieceBytes) => {
      const line = lineOf(words.join(' '))
      expect(ofResult(line, pieceBytes)).toEqual(ofResult(line))
    }),
  )
})

it('what is kept is bounded, and the same of the same values whatever their order [VF-3]', () => {
  const ids = Array.from({ length: 2_000 }, (_, i) => `CUST-${(i * 7919).toString(36)}-0XK`)
  const [one, other] = [ofResult(lineOf(ids.join(' '))), ofResult(lineOf([...ids].reverse().join(' ')))]
  const names = (marks: typeof one) => new Set(marks?.places[0]?.marks.slice(0, 64))
  expect([one?.kept, one?.places[0]?.marks.length]).toEqual(['some', 96])
  expect(names(one)).toEqual(names(other))
})

it('marks of arguments stand with their member, whose name is redacted [VF-1]', () => {
  const found = ofArguments(
    '{"a/b":{"c":["ACME-77120-QX9"]},"n":4111111111111111,"AKIAZ7QWERTYUIOP2345":"ACME-77121-QX9","x":"no"}',
  )
  expect(found?.places.map(({ path, marks }) => [path, marks.length])).toEqual([
    ['/a~1b', 1],
    ['/n', 1],
    [expect.stringContaining('/'), 1],
  ])
  expect(JSON.stringify(found)).not.toContain('AKIAZ7QWERTYUIOP2345')
  expect(ofArguments('{"x":"no"}')).toBeUndefined()
  // As it is marked in a result, under the same key, and not as under another.
  const [mark] = ofArguments('{"q":"acme-77120-qx9"}')?.places[0]?.marks ?? []
  expect(ofResult(lineOf('for ACME-77120-QX9.'))?.places[0]?.marks).toContain(mark)
  expect(createMarker(Buffer.alloc(32, 8)).mark('acme-77120-qx9')).not.toBe(mark)
})

it.each(['{"a":', '[', '', '{"a":"\\ud800AB12345678"}', `{"a":"${'x'.repeat(200_000)}"}`, `${'['.repeat(50_000)}`])(
  'arguments that are broken or hostile cost the marks and no more [VF-3]',
  (json) => {
    expect(() => ofArguments(json)).not.toThrow()
    expect(() => ofResult(Buffer.from(json))).not.toThrow()
    expect(scanBytes(Buffer.from(json)).bytes).toBe(Buffer.byteLength(json))
  },
)

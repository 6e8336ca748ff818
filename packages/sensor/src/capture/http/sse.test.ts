import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventFramer, encodeEvent } from './sse.ts'

interface Seen {
  data: string
  ids: string[]
  raw: string
  isFinished: boolean
}

/** What the framer hands on for these chunks, event by event. */
async function frame(chunks: readonly Uint8Array[]): Promise<Seen[]> {
  const events: Seen[] = []
  const framer = new EventFramer(() => {
    const seen: Seen = { data: '', ids: [], raw: '', isFinished: false }
    events.push(seen)
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
    return {
      data: (bytes) => {
        seen.data += text(bytes)
      },
      id: (value) => seen.ids.push(value),
      raw: (bytes) => {
        seen.raw += text(bytes)
        return undefined
      },
      finish: (bytes) => {
        seen.raw += text(bytes)
        seen.isFinished = true
        return undefined
      },
    }
  })
  for (const chunk of chunks) await framer.take(chunk)
  return events
}

/** HTML §9.2.6 on the whole text, naively. */
function reference(text: string): { data: string; ids: string[] }[] {
  const events: { data: string; ids: string[] }[] = []
  let data: string[] = []
  let ids: string[] = []
  const lines = text.replace(/^\u00ef\u00bb\u00bf/, '').split(/\r\n|\r|\n/)
  lines.pop()
  for (const line of lines) {
    if (line === '') {
      events.push({ data: data.join('\n'), ids })
      data = []
      ids = []
      continue
    }
    const [, name, value = ''] = /^([^:]*)(?::(?: ?)(.*))?$/s.exec(line) ?? []
    if (name === 'data') data.push(value)
    if (name === 'id') ids.push(value)
  }
  return events
}

const piece = fc.constantFrom(
  'data:', 'data: ', 'data', 'datax: ', 'dat', 'id: 7', 'id', 'id:', ': ping', 'event: message', 'retry: 5', '{"a":1}', '\n', '\r',
  '\r\n', '\n\n', '\r\n\r\n', ' ', ':', '\u00ef\u00bb\u00bf', '\u00ef', 'x',
) // biome-ignore format: one list

describe('event framer', () => {
  it('reads events as HTML says, however they are cut, and hands every byte on once [GW-30]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.nat(6), { maxLength: 40 }),
        async (parts, cuts) => {
          const text = parts.join('')
          const bytes = Buffer.from(text, 'latin1')
          const chunks: Buffer[] = []
          let at = 0
          for (const cut of cuts) {
            chunks.push(bytes.subarray(at, at + cut))
            at += cut
          }
          chunks.push(bytes.subarray(at))
          const events = await frame(chunks)
          expect(events.map(({ raw }) => raw).join('')).toBe(text)
          // A CR may be the whole end or half of one: what follows decides, so the reference sees an end either way.
          const expected = reference(text.endsWith('\r') ? text : `${text}\u0000`)
          const finished = events.filter(({ isFinished }) => isFinished)
          expect(finished.map(({ data, ids }) => ({ data, ids }))).toEqual(expected)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('keeps what it remembers of a line small', async () => {
    const [event] = await frame([Buffer.from(`id: ${'x'.repeat(5000)}\n\n`)])
    expect(event?.ids[0]?.length).toBe(1024)
  })
})

it('an event in the place of another has its id, byte for byte, and one line of data [GW-19]', async () => {
  const withheld = Buffer.from('id: événement \u2028 7\ndata: {"id":1,"result":{}}\n\n')
  const [id] = (await frame([withheld]))[0]?.ids ?? []
  const instead = Buffer.from(encodeEvent(id, Buffer.from('{"id":1,"error":{"message":"é"}}\n')))
  expect(instead.subarray(0, instead.indexOf('\n'))).toEqual(withheld.subarray(0, withheld.indexOf('\n')))
  expect(instead.toString()).toMatch(/\nevent: message\ndata: {"id":1,"error":{"message":"é"}}\n\n$/)
  expect(Buffer.from(encodeEvent(undefined, Buffer.from('{}'))).toString()).toBe('event: message\ndata: {}\n\n')
})

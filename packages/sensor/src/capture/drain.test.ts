import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { drain } from './drain.ts'

it.each([0, 1])(
  'chunks are taken one after the other, and the last one before the end, with %d readers before [GA-14]',
  async (readers) => {
    const source = Readable.from(
      ['a', 'b', 'c', 'd'].map((text) => Buffer.from(text)),
      { objectMode: false },
    )
    for (let i = 0; i < readers; i++) source.on('readable', () => undefined)
    const seen: string[] = []
    let isBusy = false
    await drain(source, async (chunk) => {
      if (isBusy) seen.push('two at a time')
      isBusy = true
      // The first one takes longest: it would come last.
      await new Promise((resolve) => setTimeout(resolve, seen.length === 0 ? 30 : 1))
      seen.push(String(chunk))
      isBusy = false
    })
    expect(seen.join('')).toBe('abcd')
  },
)

it.each([
  { size: 10, taken: 1, what: 'small pieces of one read are one chunk' },
  { size: 8192, taken: 4, what: 'large ones are taken as they are, without a copy' },
])('$what', async ({ size, taken }) => {
  const pieces = Array.from({ length: 4 }, (_, i) => Buffer.alloc(size, i))
  const source = new Readable({ read: () => undefined })
  const seen: Uint8Array[] = []
  const drained = drain(source, (chunk) => {
    seen.push(chunk)
    return undefined
  })
  // In one turn of the event loop, as the HTTP parser hands on what one read brought.
  source.resume()
  for (const piece of pieces) source.emit('data', piece)
  source.push(null)
  await drained
  expect(Buffer.concat(seen)).toEqual(Buffer.concat(pieces))
  expect(seen).toHaveLength(taken)
  if (taken === pieces.length) expect(seen.every((chunk, i) => chunk === pieces[i])).toBe(true)
})

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

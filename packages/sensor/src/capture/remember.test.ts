import { describe, expect, it } from 'vitest'
import { remember } from './remember.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('what was read before', () => {
  it('is found again for equal bytes and for no others', () => {
    const read: string[] = []
    const find = remember((bytes) => {
      read.push(new TextDecoder().decode(bytes))
      return { read: read.length }
    })
    const first = find(bytesOf('{"a":1}'))
    expect(find(bytesOf('{"a":1}'))).toBe(first)
    expect(find(bytesOf('{"a":2}'))).not.toBe(first)
    expect(read).toEqual(['{"a":1}', '{"a":2}'])
  })
  it('is bounded, in number and in size', () => {
    let reads = 0
    const find = remember(() => ({ read: ++reads }))
    const long = new Uint8Array(8 * 1024 + 1)
    find(long)
    find(long)
    expect(reads).toBe(2)
    for (let i = 0; i < 65; i++) find(bytesOf(String(i)))
    expect(reads).toBe(67)
    find(bytesOf('64'))
    expect(reads).toBe(67)
    find(bytesOf('0'))
    expect(reads).toBe(68)
  })
})

import { once } from 'node:events'
import type { Transform } from 'node:stream'
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { answerJson, ask, call, type Gatewayed, kind, openGateway, outcomes, result } from './harness/gatewayed.ts'

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const mebi = 1024 * 1024
const codes = (records: Gatewayed['records']) => kind(records, 'violation').map(({ draft }) => draft.detail.code)

/** 256 MiB of blanks in a few bytes. */
async function makeBomb(encoder: Transform): Promise<Buffer> {
  const parts: Buffer[] = []
  encoder.on('data', (part: Buffer) => parts.push(part))
  const blanks = Buffer.alloc(4 * mebi, ' ')
  for (let i = 0; i < 64; i++) if (!encoder.write(blanks)) await once(encoder, 'drain')
  encoder.end()
  await once(encoder, 'end')
  return Buffer.concat(parts)
}

/** How much resident memory grows at most while this runs. */
async function growthOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss()
  let peak = before
  const watching = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 2)
  await work()
  clearInterval(watching)
  return (peak - before) / mebi
}

const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
const encoders: [string, () => Transform][] = [
  ['gzip', () => createGzip({ level: 1 })],
  ['br', () => createBrotliCompress(fast)],
  ['zstd', () => createZstdCompress()],
]

describe('bodies that expand', () => {
  it.each(encoders)('%s is given up while it expands, both ways [GA-12]', async (coding, make) => {
    const bomb = await makeBomb(make())
    open = await openGateway(async (request, response) => {
      request.resume()
      await once(request, 'end')
      if (request.headers['content-encoding'] !== undefined) return answerJson(response, result(1))
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding })
      response.end(bomb)
    })
    const { url, records } = open
    const growth = await growthOf(async () => {
      expect((await ask(url, { body: bomb, headers: { 'content-encoding': coding } })).status).toBe(200)
      expect((await ask(url, { body: call(1) })).body.equals(bomb)).toBe(true)
    })
    expect(codes(records).filter((code) => code === 'undecodable')).toHaveLength(2)
    expect(outcomes(records)).toEqual(['unknown'])
    expect(growth).toBeLessThan(120)
  })
})

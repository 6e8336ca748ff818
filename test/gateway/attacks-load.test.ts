import { once } from 'node:events'
import { request as requestHttp } from 'node:http'
import { connect } from 'node:net'
import type { Transform } from 'node:stream'
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import {
  answerJson, ask, bodyOf, call, event, eventually, type Gatewayed, kind, openGateway, outcomes, result,
} from './harness/gatewayed.ts' // biome-ignore format: one list
import { rawPost, startRawServer } from './harness/raw.ts'

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

const byteByByte = (count: number) => '1\r\n \r\n'.repeat(count)

describe('bodies byte by byte', () => {
  it('a request of half a megabyte in as many pieces [GA-15]', async () => {
    let seen = 0
    open = await openGateway(async (request, response) => {
      seen = (await bodyOf(request)).length
      answerJson(response, result(1))
    })
    const socket = connect(Number(new URL(open.url).port), '127.0.0.1')
    const growth = await growthOf(async () => {
      socket.write('POST /mcp/unit HTTP/1.1\r\nHost: gateway.test\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (let i = 0; i < 50; i++) if (!socket.write(byteByByte(10_000))) await once(socket, 'drain')
      const text = call(1)
      socket.write(`${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`)
      await once(socket, 'data')
    })
    socket.destroy()
    expect(seen).toBe(500_000 + call(1).length)
    expect(outcomes(open.records)).toEqual(['success'])
    // An object for every byte takes 180 MiB.
    expect(growth).toBeLessThan(100)
  })

  it('an event of more than a megabyte in as many pieces [GA-15]', async () => {
    const start =
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n'
    const text = `${JSON.stringify(result(1))}\n\n`
    const url = await startRawServer(async (socket) => {
      socket.write(start)
      for (let i = 0; i < 110; i++) if (!socket.write(byteByByte(10_000))) await once(socket, 'drain')
      socket.write(`${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`)
    })
    open = await openGateway(() => undefined, { url })
    const answer = await ask(open.url, { body: call(1) })
    expect(answer.body.length).toBe(5 + 1_100_000 + text.length)
    expect(outcomes(open.records)).toEqual(['success'])
  })

  it('a request that cannot be held is refused [GA-16]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      answerJson(response, result(1))
    })
    const { TMPDIR: before = '' } = process.env
    process.env.TMPDIR = '/nowhere'
    const body = call(1, 'echo', { text: 'x'.repeat(5 * mebi) })
    const answer = await ask(open.url, { body }).finally(() => {
      if (before === '') delete process.env.TMPDIR
      else process.env.TMPDIR = before
    })
    expect(answer.isComplete).toBe(true)
    expect(JSON.parse(String(answer.body)).error.code).toBe(-31001)
    expect(open.said).toEqual([])
  })
})

describe('floods', () => {
  it('of questions by a server [GA-17]', async () => {
    const told: number[] = []
    open = await openGateway(async (request, response) => {
      const { id, method, error } = JSON.parse(await bodyOf(request))
      if (error !== undefined) told.push(id)
      if (method === undefined) return
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const questions = Array.from({ length: 600 }, (_, i) => event({ jsonrpc: '2.0', id: i, method: 'ping' }))
      response.end(questions.join('') + event(result(id)))
    })
    const headers = { 'mcp-session-id': 'one' }
    const answer = await ask(open.url, { body: call('a'), headers })
    expect(String(answer.body).match(/"ping"/g)).toHaveLength(256)
    expect(outcomes(open.records)).toEqual(['success'])
    await eventually(() => told.length > 0)
    expect(told.length).toBeLessThanOrEqual(16)
    expect((await ask(open.url, { body: call('b'), headers })).status).toBe(200)
    expect(outcomes(open.records)).toEqual(['success', 'success'])
  })

  it('of sessions [GA-22]', async () => {
    open = await openGateway(() => undefined)
    const { conversations } = open.upstream
    const { digest } = open
    const use = (session: string) => {
      const conversation = conversations.enter({ session: digest(session), lastEventId: undefined })
      conversations.leave(conversation)
      return conversation
    }
    const first = use('first')
    for (let i = 0; i < 11_000; i++) {
      const conversation = conversations.enter({ session: undefined, lastEventId: undefined })
      conversations.adopt(conversation, digest(`s${i}`))
      conversations.leave(conversation)
      if (i % 1000 === 0) use('first')
    }
    expect(conversations.size).toBe(10_000)
    expect(use('first')).toBe(first)
  })
})

describe('leaving', () => {
  it('while being admitted [GA-20]', async () => {
    const seen: string[] = []
    open = await openGateway(async (request) => void seen.push(await bodyOf(request)), { admitMs: 100 })
    const outgoing = requestHttp(open.url, { method: 'POST' })
    outgoing.on('error', () => undefined)
    outgoing.end(call(1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    outgoing.destroy()
    const { gateway, records } = open
    await eventually(() => gateway.underWay === 0)
    expect(seen).toEqual([])
    expect(records).toEqual([])
  })

  it('what was let go is sent before a drain ends [GA-19]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      answerJson(response, result(1, { text: 'x'.repeat(900_000) }))
    })
    const { gateway, records, url } = open
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    for (let i = 0; i < 20; i++) socket.write(rawPost('/mcp/unit', call(1)))
    await eventually(() => outcomes(records).length === 20)
    const drained = gateway.drain(10_000)
    await new Promise((resolve) => setTimeout(resolve, 100))
    let got = 0
    socket.on('data', (bytes) => {
      got += bytes.length
    })
    socket.resume()
    await once(socket, 'close')
    await drained
    expect(got).toBeGreaterThan(20 * 900_000)
  })

  it('a defect while an answer is relayed [GA-21]', async () => {
    const forget = () => {
      throw new Error('a defect')
    }
    open = await openGateway(
      (request, response) => {
        request.resume()
        response.writeHead(401).end()
      },
      { ours: { authorization: 'Bearer ours', forget } },
    )
    await expect(ask(open.url, { body: call(1) })).rejects.toThrow('socket hang up')
    expect(outcomes(open.records)).toEqual(['unknown'])
    expect(open.upstream.conversations.size).toBe(0)
  })
})

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import { makeFolder, oneUpstream, type Running, startCli, writeConfig } from './cli.ts'
import { ask, bodyOf, call } from './gatewayed.ts'
import { serve } from './serve.ts'

const mebibyte = 1024 * 1024

/** Large answers, one half as bodies and one half as events, to clients that read slowly. */
export async function expectBoundedMemory({
  clients,
  answerMiB,
}: {
  clients: number
  answerMiB: number
}): Promise<void> {
  const answerBytes = answerMiB * mebibyte
  const running = await startGateway(await serveLarge(answerBytes))
  const url = `${running.base}/mcp/one`
  await ask(url, { body: call(0, 'body') })
  const said = readMemory(running).held.length
  await expect.poll(() => readMemory(running).held.length, { timeout: 10_000 }).toBeGreaterThan(said)
  const before = readMemory(running)
  const agent = new Agent({ maxSockets: clients })
  const sizes = await Promise.all(
    Array.from({ length: clients }, (_, i) => readSlowly(url, agent, call(i + 1, i % 2 === 0 ? 'body' : 'events'))),
  )
  expect(sizes.every((size) => size > answerBytes)).toBe(true)
  const after = readMemory(running)
  const samples = after.held.slice(before.held.length)
  const heldMiB = Math.max(...samples) - (before.held.at(-1) ?? 0)
  const peakMiB = after.peak - before.peak
  console.info(
    `${clients} × ${answerMiB} MiB through a gateway of ${Math.round(before.peak)} MiB: it held ${Math.round(heldMiB)} MiB more, and its peak grew by ${Math.round(peakMiB)} MiB (${samples.length} samples)`,
  )
  expect(samples.length).toBeGreaterThan(5)
  // Of each answer at most 1 MiB, the queue behind it (256 KiB), and the chunks on their way in and out.
  expect(heldMiB).toBeLessThan(clients * 1.5)
  // That, what became garbage between two collections, and what malloc keeps of both.
  expect(peakMiB).toBeLessThan(clients * 4)
}

/** Answers every call with one large text. Returns its URL. */
function serveLarge(answerBytes: number): Promise<string> {
  const piece = Buffer.alloc(64 * 1024, 'x')
  function* say(before: string, after: string): Generator<Buffer> {
    yield Buffer.from(before)
    for (let sent = 0; sent < answerBytes; sent += piece.length) yield piece
    yield Buffer.from(after)
  }
  return serve(async (incoming, response) => {
    const { id, params } = JSON.parse(await bodyOf(incoming))
    const start = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`
    const isEvents = params.name === 'events'
    response.writeHead(200, { 'content-type': isEvents ? 'text/event-stream' : 'application/json' })
    Readable.from(isEvents ? say(`data: ${start}`, '"}]}}\n\n') : say(start, '"}]}}')).pipe(response)
  })
}

function startGateway(upstream: string): Promise<Running> {
  const folder = makeFolder()
  const config = writeConfig(folder, oneUpstream(upstream))
  return startCli(['gateway', '--config', config, '--home', join(folder, 'home'), '--collector', 'none'], {
    NODE_OPTIONS: `--expose-gc --import=${new URL('tell-held.ts', import.meta.url)}`,
  })
}

/** In MiB: what it said that it holds, each time (tell-held.ts), and the most memory it ever had. */
function readMemory({ process: { pid }, errors }: Running): { held: number[]; peak: number } {
  const held = [...errors().matchAll(/^holds (\d+) bytes$/gm)].map(([, bytes]) => Number(bytes) / mebibyte)
  const peakKiB = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { held, peak: Number(peakKiB) / 1024 }
}

/** Stalls after the first MiB, long enough for a gateway that goes on reading to hold far too much; then reads with pauses. */
function readSlowly(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (incoming) => {
        let size = 0
        let pauseAt = mebibyte
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size < pauseAt) return
          incoming.pause()
          setTimeout(() => incoming.resume(), pauseAt === mebibyte ? 2000 : 30)
          pauseAt = size + 2 * mebibyte
        })
        incoming.on('end', () => resolve(size))
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { makeFolder, startCli, writeConfig } from './cli.ts'
import { ask, bodyOf, call } from './gatewayed.ts'

/** Large answers, one half as bodies and one half as events, to clients that read slowly. */
export async function expectBoundedMemory({
  clients,
  answerMiB,
}: {
  clients: number
  answerMiB: number
}): Promise<void> {
  const answerBytes = answerMiB * 1024 * 1024
  const piece = Buffer.alloc(64 * 1024, 'x')
  const server = createServer(async (incoming, response) => {
    const { id, params } = JSON.parse(await bodyOf(incoming))
    const isEvents = params.name === 'events'
    response.writeHead(200, { 'content-type': isEvents ? 'text/event-stream' : 'application/json' })
    response.write(
      `${isEvents ? 'data: ' : ''}{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`,
    )
    for (let sent = 0; sent < answerBytes && !response.destroyed; sent += piece.length)
      if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
    response.end(`"}]}}${isEvents ? '\n\n' : ''}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const folder = makeFolder()
  const config = writeConfig(folder, `listen: 127.0.0.1:0\nupstreams:\n  one:\n    url: http://127.0.0.1:${port}/mcp\n`)
  const running = await startCli(['gateway', '--config', config, '--home', join(folder, 'home'), '--collector', 'none'])
  const url = `${running.base}/mcp/one`
  await ask(url, { body: call(0, 'body') })
  const status = `/proc/${running.process.pid}/status`
  const peakKiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1])
  const before = peakKiB()
  const agent = new Agent({ maxSockets: clients })
  const sizes = await Promise.all(
    Array.from({ length: clients }, (_, i) => readSlowly(url, agent, call(i + 1, i % 2 === 0 ? 'body' : 'events'))),
  )
  expect(sizes.every((size) => size > answerBytes)).toBe(true)
  const grownMiB = (peakKiB() - before) / 1024
  console.info(
    `${clients} × ${answerMiB} MiB through a gateway of ${Math.round(before / 1024)} MiB: peak grew by ${Math.round(grownMiB)} MiB`,
  )
  // Of each answer at most 1 MiB and the queues are held.
  expect(grownMiB).toBeLessThan(clients * 4)
}

/** Reads with pauses, so that the sender meets back-pressure. */
function readSlowly(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (incoming) => {
        let size = 0
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (Math.floor(size / 2_000_000) === Math.floor((size - chunk.length) / 2_000_000)) return
          incoming.pause()
          setTimeout(() => incoming.resume(), 30)
        })
        incoming.on('end', () => resolve(size))
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

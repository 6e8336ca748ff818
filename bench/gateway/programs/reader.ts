import { Agent, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadJob, ReadResult } from '../jobs.ts'

/** Reads large results, many at a time if asked, and keeps idle streams open. One job per line, like load.ts. */

const agent = new Agent({ keepAlive: true })
const accept = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' }
const idle: IncomingMessage[] = []

function send(url: string, method: string, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    request(url, { agent, method, headers: { ...accept, ...type } }, resolve)
      .on('error', reject)
      .end(body)
  })
}

function ask(url: string, wanted: { bytes: number; form: 'json' | 'sse' }): Promise<IncomingMessage> {
  const params = { name: 'long', arguments: wanted }
  return send(url, 'POST', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }))
}

async function read(response: IncomingMessage, bytesPerSecond: number): Promise<number> {
  let bytes = 0
  const start = performance.now()
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('expected bytes')
    bytes += chunk.length
    const aheadMs = (bytes / bytesPerSecond) * 1000 - (performance.now() - start)
    if (aheadMs > 5) await sleep(aheadMs)
  }
  return bytes
}

async function openIdle(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const response = await send(url, 'GET')
    if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode}`)
    idle.push(response.resume())
  }
}

async function run(job: ReadJob): Promise<ReadResult> {
  const start = performance.now()
  if ('idleStreams' in job) {
    if (job.idleStreams === 0) for (const stream of idle.splice(0)) stream.destroy()
    await openIdle(job.url, job.idleStreams)
    return { bytes: 0, elapsedMs: performance.now() - start }
  }
  const form = 'readers' in job ? 'json' : job.form
  const [count, speed] = 'readers' in job ? [job.readers, job.bytesPerSecond] : [1, Number.POSITIVE_INFINITY]
  const one = async () => read(await ask(job.url, { bytes: job.bytes, form }), speed)
  const bytes = await Promise.all(Array.from({ length: count }, one))
  return { bytes: bytes.reduce((sum, each) => sum + each, 0), elapsedMs: performance.now() - start }
}

const parseJob = (line: string) => JSON.parse(line) as ReadJob

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(parseJob(line))))
}
agent.destroy()

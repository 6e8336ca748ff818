import { Agent, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallJob, CallResult, Era } from '../jobs.ts'

/**
 * Calls `echo` as cheaply as node:http lets it. Takes one job per line on stdin, answers each with one line on stdout, and
 * ends with its input.
 */

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const text = 'a short sentence of some forty letters'
const params = { name: 'echo', arguments: { text, customer: 4711, tags: ['a', 'b'] } }
const client = { name: 'bench', version: '1.0.0' }
const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': client,
  'io.modelcontextprotocol/clientCapabilities': {},
}
const accept = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** How to call at an URL: a session for the legacy era, once it is open. */
interface Caller {
  headers: Record<string, string>
  body: (id: number) => string
}

function post(url: string, headers: Record<string, string>, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { agent, method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } }
    request(url, options, resolve).on('error', reject).end(body)
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return body
}

async function openLegacy(url: string): Promise<Caller> {
  const ask = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: client }
  const opened = await post(url, accept, JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: ask }))
  const session = opened.headers['mcp-session-id']
  await bodyOf(opened)
  const headers = {
    ...accept,
    'mcp-protocol-version': '2025-11-25',
    ...(typeof session === 'string' ? { 'mcp-session-id': session } : {}),
  }
  await bodyOf(await post(url, headers, '{"jsonrpc":"2.0","method":"notifications/initialized"}'))
  await bodyOf(await post(url, headers, '{"jsonrpc":"2.0","id":"tools","method":"tools/list"}'))
  const rest = `,"method":"tools/call","params":${JSON.stringify(params)}}`
  return { headers, body: (id) => `{"jsonrpc":"2.0","id":${id}${rest}` }
}

async function openModern(url: string): Promise<Caller> {
  const headers = (method: string) => ({ ...accept, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method })
  const list = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'tools/list', params: { _meta: meta } })
  await bodyOf(await post(url, headers('tools/list'), list))
  const rest = `,"method":"tools/call","params":${JSON.stringify({ ...params, _meta: meta })}}`
  return {
    headers: { ...headers('tools/call'), 'mcp-name': 'echo' },
    body: (id) => `{"jsonrpc":"2.0","id":${id}${rest}`,
  }
}

const callers = new Map<string, Promise<Caller>>()

/** Opens a session, and sees that calls are answered with what they said. */
async function open(url: string, era: Era): Promise<Caller> {
  const caller = await (era === 'legacy' ? openLegacy(url) : openModern(url))
  const answer = await post(url, caller.headers, caller.body(1))
  const body = await bodyOf(answer)
  if (answer.statusCode !== 200 || !body.includes(text)) throw new Error(`${url} ${era}: ${answer.statusCode} ${body}`)
  return caller
}

let id = 1

/** Resolves with the milliseconds from the request to the response's end. */
function call(url: string, caller: Caller): Promise<number> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    post(url, caller.headers, caller.body(++id)).then((response) => {
      if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`))
      response.on('error', reject)
      response.on('end', () => resolve(performance.now() - start)).resume()
    }, reject)
  })
}

/** Starts calls at fixed times, whether earlier ones have come back or not. */
async function atRate(url: string, caller: Caller, { perSecond, count }: { perSecond: number; count: number }) {
  const calls: Promise<number>[] = []
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    calls.push(call(url, caller))
    await sleep(Math.max(0, start + ((i + 1) * 1000) / perSecond - performance.now()))
  }
  return { latenciesMs: await Promise.all(calls), elapsedMs: performance.now() - start }
}

async function concurrently(url: string, caller: Caller, { inFlight, forMs }: { inFlight: number; forMs: number }) {
  const latenciesMs: number[] = []
  const start = performance.now()
  const each = async () => {
    while (performance.now() - start < forMs) latenciesMs.push(await call(url, caller))
  }
  await Promise.all(Array.from({ length: inFlight }, each))
  return { latenciesMs, elapsedMs: performance.now() - start }
}

async function run({ url, era, load }: CallJob): Promise<CallResult> {
  const key = `${era} ${url}`
  const caller = callers.get(key) ?? open(url, era)
  callers.set(key, caller)
  return 'perSecond' in load ? atRate(url, await caller, load) : concurrently(url, await caller, load)
}

const parseJob = (line: string) => JSON.parse(line) as CallJob

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(parseJob(line))))
}
agent.destroy()

import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseDecision } from '@affidavit/evidence/record/decision-section'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import type { Draft } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import type { CaptureLevel } from '@affidavit/evidence/record/kinds'
import { parseOutput } from '@affidavit/evidence/record/output-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { PolicyInForce } from '../../../packages/sensor/src/capture/ask-policy.ts'
import type { OurCredential } from '../../../packages/sensor/src/capture/http/doorkeeper.ts'
import { type Gateway, startGateway } from '../../../packages/sensor/src/capture/http/gateway.ts'
import { createRouter } from '../../../packages/sensor/src/capture/http/route.ts'
import {
  openUpstream,
  type Upstream,
  type UpstreamOptions,
} from '../../../packages/sensor/src/capture/http/upstream.ts'
import { createDigester } from '../../../packages/sensor/src/crypto/digester.ts'
import { readGatewayFacts } from '../../../packages/sensor/src/identity/local.ts'
import { createRedactor } from '../../../packages/sensor/src/redact/redactor.ts'

export interface Record {
  // biome-ignore lint/suspicious/noExplicitAny: tests read what was written, whatever its shape
  draft: any
  sections: { [name: string]: string }
}

/** A gateway before a server of the test's own, in this process, with records that stay in memory. */
export interface Gatewayed {
  url: string
  /** The upstream's own address. */
  direct: string
  gateway: Gateway
  upstream: Upstream
  records: Record[]
  said: string[]
  /** From now on emits of these stages or kinds fail. */
  failStages(...stages: string[]): void
  /** Every emit waits for this before it succeeds. */
  holdEmits(): () => void
  digest(value: string): string
  close(): Promise<void>
}

export interface GatewayedOptions {
  level?: CaptureLevel
  timeouts?: Partial<UpstreamOptions['timeouts']>
  limits?: Partial<UpstreamOptions['limits']>
  tls?: UpstreamOptions['tls']
  /** How long it takes to admit a request. */
  admitMs?: number
  /** The upstream's own credential. */
  ours?: OurCredential
  url?: string
  host?: UpstreamOptions['host']
  policy?: PolicyInForce
}

const uuid = '01932c4e-0000-7000-8000-000000000000'
const zeros = Buffer.alloc(32).toString('base64')
const core = {
  v: 1,
  tenant: 'default',
  epoch: '2026q4',
  streamId: uuid,
  seq: 1,
  prev: zeros,
  bootId: uuid,
  sections: {},
} as const

class Refusal extends Error {
  readonly code = 'spool_io'
  readonly retry = true
}

export async function openGateway(listener: RequestListener, options: GatewayedOptions = {}): Promise<Gatewayed> {
  const server = createServer(listener)
  server.keepAliveTimeout = 60_000
  const port = await listen(server)
  const direct = options.url ?? `http://127.0.0.1:${port}/mcp`
  const records: Record[] = []
  const said: string[] = []
  const state = { fails: [] as string[], hold: undefined as Promise<void> | undefined }
  const emit = async (draft: Draft, sections: Sections) => {
    await state.hold
    const stage = 'stage' in draft ? draft.stage : draft.kind
    if (state.fails.includes(stage)) throw new Refusal('no')
    // Every record of every test is held to the format.
    encodeHeader({ time: '2026-11-20T11:03:40.123Z', monotonicUs: 1, ...core, ...draft })
    if (sections.environment !== undefined) parseEnvironment(sections.environment)
    if (sections.identity !== undefined) parseIdentity(sections.identity)
    if (sections.output !== undefined) parseOutput(sections.output)
    if (sections.decision !== undefined) parseDecision(sections.decision)
    const opened = Object.entries(sections).map(([name, bytes]) => [name, Buffer.from(bytes).toString()])
    records.push({ draft, sections: Object.fromEntries(opened) })
    return { recorded: true, hash: new Uint8Array(32) }
  }
  const key = new Uint8Array(32).fill(7)
  const digest = createDigester(key)
  const absent = { absent: 'unit' }
  const upstream = openUpstream(
    {
      name: 'unit',
      url: new URL(direct),
      host: options.host ?? 'keep',
      tls: options.tls ?? {},
      timeouts: { connectMs: 5000, answerMs: 0, bodyIdleMs: 0, ...options.timeouts },
      limits: { sessionIdleMs: 60_000, resumeGraceMs: 60_000, ...options.limits },
    },
    {
      context: {
        emit,
        redactor: createRedactor({ correlationKey: key }),
        digest,
        level: options.level ?? 'arguments',
        serverName: 'unit',
        vantage: 'gateway',
        facts: readGatewayFacts(),
        ...(options.policy === undefined ? {} : { policy: options.policy }),
        diagnose: (code) => said.push(code),
      },
      admit: async () => {
        if (options.admitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.admitMs))
        return {
          verdict: 'admitted',
          ...(options.ours === undefined ? {} : { ours: options.ours }),
          principals: { workload: absent, user: absent, role: absent, token: absent, delegation: [] },
        }
      },
    },
  )
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    router: createRouter(new Map([['unit', upstream]]), new Map([['claimed.test', upstream]])),
    upstreams: [upstream],
    ownPages: () => undefined,
    onFault: (fault) => said.push(`defect: ${String(fault)}`),
  })
  return {
    url: `http://127.0.0.1:${gateway.address.port}/mcp/unit`,
    direct,
    gateway,
    upstream,
    records,
    said,
    failStages: (...stages) => {
      state.fails = stages
    },
    holdEmits: () => {
      let release: () => void = () => undefined
      state.hold = new Promise((resolve) => {
        release = resolve
      })
      return () => {
        state.hold = undefined
        release()
      }
    },
    digest,
    async close() {
      await gateway.drain(0)
      server.closeAllConnections()
      server.close()
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export interface Answer {
  status: number
  headers: { [name: string]: string | string[] | undefined }
  rawHeaders: string[]
  body: Buffer
  /** Whether the answer came to its end. */
  isComplete: boolean
}

export interface Asked {
  method?: string
  headers?: { [name: string]: string }
  body?: string | Uint8Array
}

/** One request by Node's own client, its answer as bytes. */
export async function ask(url: string, { method = 'POST', headers = {}, body = '' }: Asked = {}): Promise<Answer> {
  const stream = await openStream(url, { method, headers, body })
  await stream.ended
  return stream.answer()
}

export interface OpenStream {
  status: number
  answer(): Answer
  text(): string
  /** Waits until the body so far holds this. */
  until(text: string, limitMs?: number): Promise<void>
  ended: Promise<void>
  abort(): void
}

/** Like ask, from the head on, for answers that stay open. */
export function openStream(url: string, { method = 'POST', headers = {}, body = '' }: Asked = {}): Promise<OpenStream> {
  const accept =
    method === 'POST' ? { 'content-type': 'application/json', accept: 'application/json, text/event-stream' } : {}
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: { ...accept, ...headers } })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => resolve(follow(incoming, () => outgoing.destroy())))
    outgoing.end(body)
  })
}

function follow(incoming: IncomingMessage, abort: () => void): OpenStream {
  const chunks: Buffer[] = []
  const watchers = new Set<() => void>()
  incoming.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    for (const watch of watchers) watch()
  })
  incoming.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => incoming.on('close', () => resolve()))
  const text = () => Buffer.concat(chunks).toString()
  return {
    status: incoming.statusCode ?? 0,
    answer: () => ({
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      rawHeaders: incoming.rawHeaders,
      body: Buffer.concat(chunks),
      isComplete: incoming.complete,
    }),
    text,
    until: (wanted, limitMs = 5000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`never got ${wanted}; got ${text()}`)), limitMs)
        const check = () => {
          if (!text().includes(wanted)) return
          clearTimeout(timer)
          watchers.delete(check)
          resolve()
        }
        watchers.add(check)
        check()
      }),
    ended,
    abort,
  }
}

/** The whole body of a request that the test's own server got. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export function answerJson(response: ServerResponse, body: unknown, headers: { [name: string]: string } = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(200, { 'content-type': 'application/json', ...headers })
  response.end(text)
}

export const message = (id: unknown, method: string, params?: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })
export const call = (id: unknown, name = 'echo', args: unknown = {}) =>
  message(id, 'tools/call', { name, arguments: args })
export const result = (id: unknown, value: unknown = { content: [] }) => ({ jsonrpc: '2.0', id, result: value })
export const event = (message: unknown, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${JSON.stringify(message)}\n\n`

export const stage = (records: readonly Record[], name: string) => records.filter(({ draft }) => draft.stage === name)
export const kind = (records: readonly Record[], name: string) => records.filter(({ draft }) => draft.kind === name)
export const outcomes = (records: readonly Record[]) => stage(records, 'completed').map(({ draft }) => draft.outcome)

export async function eventually(condition: () => boolean, limitMs = 5000): Promise<void> {
  const start = Date.now()
  while (!condition()) {
    if (Date.now() - start > limitMs) throw new Error('it did not come to be in time')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

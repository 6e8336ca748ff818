import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { Draft } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import type { Sections } from '@affidavit/evidence/record/sections'
import { readLocalFacts } from '../../../identity/local.ts'
import { createRedactor } from '../../../redact/redactor.ts'
import { createIngest, type IngestParts } from '../ingest.ts'

const uuid = '01932c4e-0000-7000-8000-000000000000'
const core = {
  v: 1, tenant: 'default', epoch: '2026q4', streamId: uuid, seq: 0, bootId: uuid,
  time: '2026-11-20T11:03:40.123Z', monotonicUs: 1, sections: {},
} as const // biome-ignore format: one header

const correlationKey = new Uint8Array(32)
const naming = { classes: { email: false, phone: false }, disabledRules: new Set<string>(), rules: [] }

export interface Emitted {
  draft: Draft
  sections: Sections
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Receiver {
  port: number
  records: Emitted[]
  said: string[]
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Reply>
  finish(): Promise<void>
  close(): Promise<void>
}

/** A receiver on a port of its own that keeps what it emits, each checked against the format. */
export async function openReceiver(changes: Partial<IngestParts> = {}): Promise<Receiver> {
  const records: Emitted[] = []
  const said: string[] = []
  const ingest = createIngest({
    emit: async (draft, sections) => {
      encodeHeader({ ...core, ...draft })
      records.push({ draft, sections })
      return { recorded: true, hash: new Uint8Array(32).fill(records.length) }
    },
    redactor: createRedactor({ correlationKey }),
    namingRedactor: createRedactor({ correlationKey, patterns: naming }),
    digest: (value) => `00000000:${Buffer.alloc(32, String(value)).toString('base64')}`,
    level: 'arguments',
    facts: readLocalFacts(undefined),
    diagnose: (code) => said.push(code),
    tokens: [],
    ...changes,
  })
  const server = createServer((req, res) => void ingest.handle(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  return {
    port,
    records,
    said,
    post: (path, body, headers = {}) => post({ port, path, headers }, body),
    finish: () => ingest.finish(),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}

interface Target {
  port: number
  path: string
  headers: Record<string, string>
  method?: string
}

function post({ port, path, headers, method = 'POST' }: Target, body: string | Uint8Array): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = { 'content-type': 'application/json', ...headers }
    const req = request({ host: '127.0.0.1', port, path, method, headers: sent, agent: false }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }))
    })
    req.on('error', reject)
    req.end(body)
  })
}

export const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

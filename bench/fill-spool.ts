import { randomUUID } from 'node:crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import { hmacSha256, sha256 } from '@affidavit/sensor/crypto/node'
import { openHome } from '@affidavit/sensor/durable/home'
import { openStream } from '@affidavit/sensor/spool/stream'

/** Writes `count` calls (two records each) of usual shape and size to the spool of a home, then closes the stream. */

const [dir = '', countText = '0'] = process.argv.slice(2)
const count = Number(countText)
const utf8 = new TextEncoder()
const json = (value: unknown) => utf8.encode(JSON.stringify(value))

const home = await openHome(dir)
const stream = await openStream({ home, software: 'bench/1' })
const digest = digestValue(hmacSha256, toCorrelationKey(sha256, (await home.correlationKey()).key), utf8.encode('1'))
const definition = Buffer.alloc(32, 9).toString('base64')
const tools = ['read_file', 'list_directory', 'search_files', 'write_file']
const absent = (reason: string) => ({ absent: reason })
const environment = json({
  host: { arch: 'x64', name: 'bench', os: 'linux' },
  ids: { requestId: '1' },
  network: absent('stdio has no network'),
  processes: absent('bench'),
  redactions: [],
  redactionsOmitted: 0,
})
const identity = json({
  agent: { assurance: 'claimed', id: 'bench', kind: 'agent', method: 'client-info', source: 'initialize.clientInfo' },
  delegation: [],
  role: absent('bench'),
  token: absent('bench'),
  user: { assurance: 'attested', id: 'bench', kind: 'person', method: 'os-user', source: 'user table', uid: 1000 },
  workload: absent('bench'),
})

/** A version 7 UUID is what the format demands; the bench needs none that sorts. */
const uuid7 = () => randomUUID().replace(/^(.{14})./, '$17')
const sessionId = uuid7()

async function call(i: number) {
  const callId = uuid7()
  const { hash } = await stream.append(
    {
      kind: 'call',
      stage: 'requested',
      vantage: 'gateway',
      direction: 'to-server',
      callId,
      sessionSource: 'legacy-stdio',
      sessionId,
      method: 'tools/call',
      requestIdDigest: digest,
      server: { name: 'bench', reportedName: 'bench', version: '1.0.0', protocolVersion: '2025-11-25' },
      tool: { name: tools[i % tools.length] ?? 'read_file', definition },
      effect: 'unknown',
      level: 'arguments',
      inputBytes: 180,
      classification: { level: 'unclassified', tags: [] },
      decision: { disposition: 'undecided', mode: 'observe' },
    },
    { input: json({ name: 'read_file', arguments: { path: `/srv/docs/${i}.md`, head: 200 } }), identity, environment },
  )
  await stream.append(
    {
      kind: 'call',
      stage: 'completed',
      callId,
      requestedHash: Buffer.from(hash).toString('base64'),
      outcome: i % 50 === 0 ? 'tool_error' : 'success',
      responseBytes: 400,
      latencyUs: 1500 + (i % 1000),
    },
    { output: json({ blocks: [{ bytes: 300, type: 'text' }], blocksOmitted: 0, form: 'result' }) },
  )
}

/** 128 calls in flight give group commits of 128 to 256 records. */
const inFlight = 128
const start = performance.now()
let next = 0
await Promise.all(
  Array.from({ length: inFlight }, async () => {
    while (next < count) await call(next++)
  }),
)
const elapsedMs = performance.now() - start
await stream.close('exit')
console.log(JSON.stringify({ records: count * 2, elapsedMs }))

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { auditServer } from '@affidavit/sensor/server'
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import { auditInto, makeFolder } from './harness/audited.ts'
import { type CapturedRecord, captureInto, stageOf } from './harness/captured.ts'
import { listen, type Prepare, ways } from './harness/http-servers.ts'
import { createRichServer, createRichServerV1 } from './harness/rich-server.ts'
import { readCalls, readSpool } from './harness/spooled.ts'

type Mode = 'legacy' | { pin: '2026-07-28' }

async function openClient(url: URL, mode: Mode = 'legacy'): Promise<Client> {
  const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(url))
  return client
}

/** A server of either generation and an official client, joined in memory. */
async function join1or2(generation: '1.x' | '2.x', prepare: Prepare, capabilities = {}) {
  const client = new Client({ name: 'official', version: '1' }, { capabilities })
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  const server = generation === '2.x' ? createRichServer() : createRichServerV1()
  prepare(server)
  await Reflect.apply(server.connect, server, [serverSide])
  await client.connect(clientSide)
  return { client, server }
}

const outcomes = (records: CapturedRecord[]) =>
  records.flatMap(({ draft }) => ('stage' in draft && draft.stage === 'completed' ? [draft.outcome] : []))

describe.each([
  ['per request, 2.x', 'legacy'],
  ['per request, 2.x', { pin: '2026-07-28' }],
  ['sessions, 2.x', 'legacy'],
  ['sessions, 1.x', 'legacy'],
] as const)('%s, %o', (way, mode) => {
  it('the request is durable before the handler runs, the outcome before the client sees it [MW-4]', async () => {
    const home = makeFolder()
    const atHandler: string[] = []
    const audit = auditInto(home)
    const url = await listen(
      ways[way]((server) => {
        const { current } = audit(server)
        Reflect.get(server, 'registerTool').call(server, 'looks', { description: 'looks into the spool' }, async () => {
          const calls = await readCalls(home)
          atHandler.push(...calls.map(({ requested, completed }) => `${requested.method} ${completed?.outcome}`))
          const own = calls.find(({ requested }) => requested.callId === current()?.callId)
          return { content: [{ type: 'text', text: String(own?.requested.tool !== undefined) }] }
        })
      }),
    )
    const client = await openClient(url, mode)
    const { content } = await client.callTool({ name: 'looks', arguments: {} })
    expect(content).toEqual([{ type: 'text', text: 'true' }])
    expect(atHandler.at(-1)).toBe('tools/call undefined')
    const calls = await readCalls(home)
    expect(calls.at(-1)?.completed).toMatchObject({ outcome: 'success' })
    await client.close()
  })

  it('what cannot be recorded does not run, and says so [MW-5]', async () => {
    const folder = makeFolder()
    const home = join(folder, 'home')
    // A file where the folder should be.
    writeFileSync(home, '')
    const ran: string[] = []
    const audit = auditInto(home)
    const url = await listen(
      ways[way]((server) => {
        audit(server)
        const inner = Reflect.get(server, 'server')
        const original = inner._onrequest.bind(inner)
        inner._onrequest = (...args: unknown[]) => {
          ran.push('request')
          original(...args)
        }
      }),
    )
    const refused = { code: -31001, data: { code: 'AFD_AUDIT_UNAVAILABLE', executed: false } }
    await expect(openClient(url, mode)).rejects.toMatchObject(
      mode === 'legacy' ? refused : { code: 'ERA_NEGOTIATION_FAILED' },
    )
    expect(ran).toEqual([])
    // It comes back when the home does.
    rmSync(home)
    await new Promise((resolve) => setTimeout(resolve, 600))
    const client = await openClient(url, mode)
    await client.close()
    expect((await readCalls(home)).length).toBeGreaterThan(0)
    expect(ran.length).toBeGreaterThan(0)
  })

  it('a result that cannot be recorded is withheld [MW-5]', async () => {
    const records: CapturedRecord[] = []
    const failing = new Set<string>()
    const url = await listen(ways[way](captureInto(records, { failing })))
    const client = await openClient(url, mode)
    failing.add('completed')
    for (const tool of ['echo', 'steps'])
      await expect(
        client.callTool(
          { name: tool, arguments: tool === 'echo' ? { message: 'kept back' } : { count: 2 } },
          { onprogress: () => undefined },
        ),
      ).rejects.toMatchObject({ code: -31002, data: { executed: true, retry: false } })
    failing.clear()
    expect(await client.callTool({ name: 'echo', arguments: { message: 'let go' } })).toMatchObject({
      content: [{ text: 'let go' }],
    })
    await client.close()
  })
})

it('with fail mode open, calls pass unrecorded under a recorded gap [MW-5]', async () => {
  const text = 'x'.repeat(300_000)
  const outcomesOf = async (home: string, failOpen: readonly 'unknown'[]) => {
    const { client } = await join1or2('2.x', auditInto(home, { failOpen, limits: { spoolBytes: 1_048_576 } }))
    const results: unknown[] = []
    for (let i = 0; i < 6; i++)
      results.push(
        await client.callTool({ name: 'echo', arguments: { message: text } }).then(
          () => 'answered',
          (error) => error.code,
        ),
      )
    await client.close()
    return results
  }
  const closed = await outcomesOf(makeFolder(), [])
  expect(closed).toContain('answered')
  expect(closed.at(-1)).toBe(-31001)
  const home = makeFolder()
  expect(await outcomesOf(home, ['unknown'])).toEqual(Array(6).fill('answered'))
  expect((await readSpool(home)).map(({ header }) => header.kind)).toContain('gap')
})

it.each(['1.x', '2.x'] as const)(
  'under slow and uneven recording everything keeps its order, %s [MW-4]',
  async (generation) => {
    const records: CapturedRecord[] = []
    const prepare = captureInto(records, { delayMs: () => Math.random() * 15 })
    const { client } = await join1or2(generation, prepare)
    const seen: string[] = []
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await client.callTool(
          { name: 'steps', arguments: { count: 3 } },
          { onprogress: ({ progress }) => seen.push(`${i}:${progress}`) },
        )
        seen.push(`${i}:done`)
      }),
    )
    for (let i = 0; i < 20; i++)
      expect(seen.filter((each) => each.startsWith(`${i}:`))).toEqual([`${i}:1`, `${i}:2`, `${i}:3`, `${i}:done`])
    await client.close()
    const stages = records.map(({ draft }) => stageOf(draft))
    expect(stages.filter((stage) => stage === 'requested')).toHaveLength(21)
    expect(outcomes(records)).toEqual(Array(21).fill('success'))
  },
)

it.each(['1.x', '2.x'] as const)(
  'what the server asks of its client is recorded too, %s [MW-4]',
  async (generation) => {
    const records: CapturedRecord[] = []
    const failing = new Set<string>()
    const { client } = await join1or2(generation, captureInto(records, { failing }), { elicitation: { form: {} } })
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }))
    expect(await client.callTool({ name: 'asks', arguments: {} })).toMatchObject({
      content: [{ text: expect.stringContaining('Ada') }],
    })
    const asked = records.flatMap(({ draft }) => ('stage' in draft && draft.kind === 'elicit' ? [draft] : []))
    expect(asked).toMatchObject([
      { stage: 'requested', direction: 'to-client', method: 'elicitation/create' },
      { stage: 'completed', outcome: 'success' },
    ])
    await client.close()
  },
)

it('a call that the client gives up is cancelled; the handler hears of it [MW-6]', async () => {
  const records: CapturedRecord[] = []
  const url = await listen(ways['per request, 2.x'](captureInto(records)))
  const client = await openClient(url, { pin: '2026-07-28' })
  const abort = new AbortController()
  const call = client.callTool({ name: 'waits', arguments: {} }, { signal: abort.signal })
  await expect.poll(() => records.length).toBe(3)
  abort.abort()
  await expect(call).rejects.toThrow()
  await expect.poll(() => outcomes(records)).toEqual(['success', 'cancelled'])
  await client.close()
})

it('calls that are open when the transport closes get an outcome [MW-6]', async () => {
  const records: CapturedRecord[] = []
  const { client, server } = await join1or2('2.x', captureInto(records))
  const call = client.callTool({ name: 'waits', arguments: {} })
  await expect.poll(() => records.length).toBe(3)
  await server.close()
  await expect(call).rejects.toThrow()
  await expect.poll(() => outcomes(records)).toEqual(['success', 'transport_error'])
})

it('servers that are made per request and never closed are forgotten [MW-15]', async () => {
  const home = makeFolder()
  // What ends the stream of all of them; the others keep nothing.
  auditInto(home)(createRichServer())
  const left: WeakRef<object>[] = []
  const serveOne = async () => {
    const { client, server } = await join1or2('2.x', (each) => auditServer(each, { serverName: 'rich', home }))
    await client.callTool({ name: 'echo', arguments: { message: 'once' } })
    left.push(new WeakRef(server))
  }
  for (let i = 0; i < 20; i++) await serveOne()
  setFlagsFromString('--expose_gc')
  const collect: unknown = runInNewContext('gc')
  await expect
    .poll(
      () => {
        if (typeof collect === 'function') collect()
        return left.filter((each) => each.deref() !== undefined).length
      },
      { timeout: 15_000, interval: 500 },
    )
    .toBeLessThanOrEqual(1)
})

it('after close(), calls are refused and not executed [MW-9]', async () => {
  const home = makeFolder()
  const audit = auditInto(home)
  let close: () => Promise<void> = async () => undefined
  const { client } = await join1or2('2.x', (server) => {
    close = audit(server).close
  })
  await client.callTool({ name: 'echo', arguments: { message: 'before' } })
  await close()
  await expect(client.callTool({ name: 'echo', arguments: { message: 'after' } })).rejects.toMatchObject({
    code: -31001,
  })
  const records = await readSpool(home, 'closed')
  expect(records.at(-1)?.header).toMatchObject({ kind: 'stream', detail: { event: 'closed' } })
  await client.close()
})

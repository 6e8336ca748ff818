import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AuditedCall, callHeaders, sqlComment } from '@affidavit/sensor/server'
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { auditInto, makeFolder } from './harness/audited.ts'
import { listen, ways } from './harness/http-servers.ts'
import { readCalls, readSpool } from './harness/spooled.ts'

type Handle = (call: AuditedCall | undefined, id: number) => Promise<void> | void

/** A server with one tool, whose handler is told the call it serves. */
async function joined(home: string, handle: Handle, options: Parameters<typeof auditInto>[1] = {}) {
  const server = new McpServer({ name: 'hook', version: '1.0.0' })
  const audit = auditInto(home, options)(server)
  server.registerTool('tool', { inputSchema: z.object({ id: z.number() }) }, async ({ id }) => {
    await handle(audit.current(), id)
    return { content: [] }
  })
  const client = new Client({ name: 'official', version: '1' })
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  await server.connect(serverSide)
  await client.connect(clientSide)
  const call = (id = 0) => client.callTool({ name: 'tool', arguments: { id } })
  return { client, audit, call }
}

/** Codes of the warnings of this process from here on. */
function warnings(): string[] {
  const codes: string[] = []
  const note = (warning: Error & { code?: string }) => codes.push(warning.code ?? '')
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  return codes
}

describe('what a handler knows of its call', () => {
  it('each of many concurrent handlers finds its own call, through whatever it awaits [MW-8]', async () => {
    const home = makeFolder()
    const found = new Map<number, string>()
    let current: () => AuditedCall | undefined = () => undefined
    const { call, audit } = await joined(home, async (_call, id) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
      found.set(id, current()?.callId ?? '')
      current()?.addResource({ type: 'table', name: `table_${id}`, rows: id })
    })
    current = audit.current
    expect(audit.current()).toBeUndefined()
    await Promise.all(Array.from({ length: 30 }, (_, id) => call(id)))
    const calls = (await readCalls(home)).filter(({ requested }) => requested.kind === 'call')
    expect(calls).toHaveLength(30)
    for (const { requested, input, completedSections } of calls) {
      const id = Number(JSON.parse(JSON.stringify(input)).arguments.id)
      expect(requested.callId).toBe(found.get(id))
      expect(completedSections.resources.resources).toMatchObject([{ name: `table_${id}`, rows: id }])
    }
  })

  it('what it says is redacted and cut, and never throws [MW-7]', async () => {
    const home = makeFolder()
    const codes = warnings()
    const { call } = await joined(home, (current) => {
      current?.addResource({
        type: 'path',
        name: '/export/AKIAIOSFODNN7EXAMPLE.csv',
        rows: -1,
        dataTypes: ['card', ''],
      })
      current?.addResource({ type: 'uri', name: 'x'.repeat(5000), subjectClass: 's'.repeat(500), level: 'secret' })
      // JavaScript has no compiler that says no.
      Reflect.apply(current?.addResource ?? Boolean, current, [{ type: 'planet', name: 'Mars' }])
      Reflect.apply(current?.addResource ?? Boolean, current, [{}])
      current?.classify({ level: 'restricted', tags: Array(40).fill('pii') })
    })
    await call()
    const completed = (await readCalls(home)).at(-1)
    const { resources } = completed?.completedSections.resources ?? {}
    expect(resources).toHaveLength(2)
    expect(resources[0]).toEqual({
      type: 'path', name: '/export/[REDACTED:aws-access-key-id].csv', dataTypes: ['card'], source: 'server-hook',
    }) // biome-ignore format: one row
    expect(Buffer.byteLength(resources[1].name)).toBeLessThanOrEqual(1024)
    expect(completed?.completed?.classification).toEqual({ level: 'restricted', tags: Array(16).fill('pii') })
    await expect.poll(() => codes).toContain('AFD_RESOURCE_INVALID')
  })

  it('at level metadata names of a schema stay, what may be a value does not [MW-7]', async () => {
    const home = makeFolder()
    const { call } = await joined(
      home,
      (current) => {
        current?.addResource({ type: 'table', name: 'customers' })
        current?.addResource({ type: 'path', name: '/srv/ada/diary' })
      },
      { level: 'metadata' },
    )
    await call()
    const { resources } = (await readCalls(home)).at(-1)?.completedSections.resources ?? {}
    expect(resources[0].name).toBe('customers')
    expect(resources[1].name).toMatch(/^[0-9a-f]{8}:/)
    expect(JSON.stringify(await readSpool(home))).not.toContain('diary')
  })

  it('what comes after the outcome is told, not recorded [MW-7]', async () => {
    const home = makeFolder()
    const codes = warnings()
    const kept: AuditedCall[] = []
    const { call } = await joined(home, (current) => {
      if (current !== undefined) kept.push(current)
    })
    await call()
    kept[0]?.addResource({ type: 'table', name: 'late' })
    await expect.poll(() => codes).toContain('AFD_RESOURCE_LATE')
    expect((await readCalls(home)).at(-1)?.completedSections.resources).toBeUndefined()
  })

  it('marks carry the id of a call and nothing else [MW-8]', () => {
    const id = '01932c4e-0000-7000-8000-000000000000'
    expect(sqlComment(id)).toBe(`/* affidavit:${id} */`)
    expect(callHeaders(id)).toEqual({ 'affidavit-call-id': id })
    for (const wrong of ['', '*/ DROP TABLE customers; --', `${id}*/`]) {
      expect(() => sqlComment(wrong)).toThrow(TypeError)
      expect(() => callHeaders(wrong)).toThrow(TypeError)
    }
  })
})

describe('options', () => {
  it('mistakes are told at once, by name [MW-13]', async () => {
    const server = new McpServer({ name: 'x', version: '1' })
    const audit = (options: object) => () => auditInto(makeFolder(), options)(server)
    expect(audit({ serverName: '' })).toThrow('serverName')
    expect(audit({ level: 'everything' })).toThrow('level takes metadata, arguments, full')
    expect(audit({ failOpen: ['reads'] })).toThrow('failOpen takes write, read, unknown')
    expect(() => Reflect.apply(auditInto(makeFolder()), undefined, [{}])).toThrow('auditServer takes a server')
  })

  it('patterns of a file redact; a file that cannot be used lets connect() reject and no call run [MW-13]', async () => {
    const folder = makeFolder()
    const patterns = join(folder, 'patterns.yaml')
    writeFileSync(
      patterns,
      "version: 1\nrules:\n  - id: order-number\n    pattern: 'ORD-[0-9]{6}'\n    examples: { match: ['ORD-123456'] }\n",
    )
    const home = join(folder, 'home')
    const { client, call } = await joined(home, () => undefined, { redact: { patterns } })
    await call()
    await client.callTool({ name: 'tool', arguments: { id: 1, note: 'see ORD-123456' } })
    expect(JSON.stringify(await readSpool(home))).toContain('[REDACTED:order-number]')
    writeFileSync(patterns, 'patterns: 7')
    const broken = joined(join(folder, 'other'), () => undefined, { redact: { patterns } })
    await expect(broken).rejects.toMatchObject({ code: expect.stringMatching(/^AFD_/) })
  })

  it('a collector is started where one is asked for [MW-13]', async () => {
    const folder = makeFolder()
    const home = join(folder, 'home')
    const started = join(folder, 'started')
    const script = join(folder, 'collector.cjs')
    const text = `require('node:fs').writeFileSync(${JSON.stringify(started)}, process.argv.slice(2).join(' '))`
    writeFileSync(script, text)
    await joined(home, () => undefined, { collector: [process.execPath, script] })
    await expect
      .poll(() => existsSync(started) && readFileSync(started, 'utf8'), { timeout: 10_000 })
      .toBe(`--home ${home}`)
  })

  it('a server that is connected already is recorded from then on [MW-13]', async () => {
    const home = makeFolder()
    const server = new McpServer({ name: 'late', version: '1' })
    server.registerTool('tool', {}, () => ({ content: [] }))
    const client = new Client({ name: 'official', version: '1' })
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
    await server.connect(serverSide)
    await client.connect(clientSide)
    const audit = auditInto(home)
    expect(audit(server)).toBe(audit(server.server))
    await client.callTool({ name: 'tool', arguments: {} })
    expect((await readCalls(home)).map(({ requested }) => requested.method)).toEqual(['tools/call'])
  })
})

describe('who asks', () => {
  const jwt = (claims: object) =>
    ['{"alg":"none"}', JSON.stringify(claims), 'signature-of-some-length']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.')
  const token = jwt({ iss: 'https://issuer.example', sub: 'ada', client_id: 'desk', roles: ['clerk'] })

  it('a token is claimed, and never kept; the trace of the header counts [MW-14]', async () => {
    const home = makeFolder()
    const url = await listen(ways['sessions, 1.x'](auditInto(home)))
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const headers = { authorization: `Bearer ${token}`, traceparent: `00-${traceId}-b7ad6b7169203331-01` }
    const client = new Client({ name: 'official', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    await client.close()
    const [call] = await readCalls(home)
    expect(call?.requested).toMatchObject({ traceId })
    const claimed = { assurance: 'claimed', method: 'bearer', issuer: 'https://issuer.example' }
    expect(call?.sections.identity).toMatchObject({
      user: { ...claimed, id: 'ada' },
      workload: { ...claimed, id: 'desk' },
      role: { ...claimed, id: 'clerk' },
      token: { assurance: 'claimed', method: 'bearer' },
    })
    expect(JSON.stringify(await readSpool(home))).not.toContain(token)
  })

  it("what the server's own verifier said is said to be that, and stays claimed [MW-14]", async () => {
    const home = makeFolder()
    const audit = auditInto(home)
    const handle = toNodeHandler(
      createMcpHandler(() => {
        const server = new McpServer({ name: 'guarded', version: '1' })
        audit(server)
        server.registerTool('tool', {}, () => ({ content: [] }))
        return server
      }),
    )
    const url = await listen((request, response) => {
      const auth = { token: 'opaque-token-of-some-length', clientId: 'desk', scopes: [] }
      Reflect.apply(handle, undefined, [Object.assign(request, { auth }), response])
    })
    const client = new Client(
      { name: 'official', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    await client.connect(new StreamableHTTPClientTransport(url))
    await client.close()
    const [call] = await readCalls(home)
    const vouched = { assurance: 'claimed', method: 'sdk-auth-info', source: 'authInfo' }
    expect(call?.sections.identity).toMatchObject({
      token: { ...vouched, digest: expect.stringMatching(/^[0-9a-f]{8}:/) },
      workload: { ...vouched, id: 'desk' },
      user: { absent: expect.any(String) },
    })
  })
})

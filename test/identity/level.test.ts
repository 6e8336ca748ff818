import { renameSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { collectCalls, oneUpstream, runCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, bodyOf } from '../gateway/harness/gatewayed.ts'
import { readCalls, readSpool } from '../middleware/harness/spooled.ts'
import { filesHolding, hello, makeFolder, serve, startRun } from './harness/stdio.ts'

/** Values that stand wherever a client or a server may put one; each is found at level arguments or full, or in a message. */
const planted = [
  'plant-argument-7f3a9c', 'plant-nested-7f3a9c', 'plant-request-id-7f3a9c', 'plant-progress-token-7f3a9c', 'plant-purpose-7f3a9c',
  'plant-conversation-7f3a9c', 'plant-meta-7f3a9c', 'plant-uri-7f3a9c', 'plant-prompt-argument-7f3a9c', 'plant-method-7f3a9c',
  'plant-tool-7f3a9c', 'plant-path-7f3a9c', 'plant-sql-7f3a9c', 'plant-notice-7f3a9c', 'plant-cursor-7f3a9c', 'plant-line-7f3a9c',
] as const // biome-ignore format: one list
const inHttp = [
  'plant-header-7f3a9c',
  'plant-query-7f3a9c',
  'plant-result-7f3a9c',
  'plant-structured-7f3a9c',
  'plant-error-7f3a9c',
]

const meta = {
  progressToken: 'plant-progress-token-7f3a9c', 'affidavit/purpose': 'plant-purpose-7f3a9c',
  conversationId: 'plant-conversation-7f3a9c', 'example.com/more': { deep: ['plant-meta-7f3a9c'] },
} // biome-ignore format: one object

const requests: readonly (readonly [method: string, params: object])[] = [
  ['tools/call', { name: 'echo', arguments: { a: 'plant-argument-7f3a9c', b: [{ c: 'plant-nested-7f3a9c' }] }, _meta: meta }],
  ['tools/call', { name: 'echo', arguments: { path: '/srv/restricted/plant-path-7f3a9c.csv', sql: "select 'plant-sql-7f3a9c'" } }],
  ['tools/call', { name: 'plant-tool-7f3a9c', arguments: {} }],
  ['resources/read', { uri: 'file:///srv/restricted/plant-uri-7f3a9c?x=plant-uri-7f3a9c' }],
  ['prompts/get', { name: 'review', arguments: { text: 'plant-prompt-argument-7f3a9c' } }],
  ['tools/list', { cursor: 'plant-cursor-7f3a9c' }],
  ['plant-method-7f3a9c', { x: 1 }],
] // biome-ignore format: one row, one line

/** Everything that can be had of a home: each file as it lies there, and each record as its reader opens it. */
async function everything(home: string, values: readonly string[]): Promise<string[]> {
  const opened = JSON.stringify(await readSpool(home))
  return [
    ...filesHolding(home, values),
    ...values.filter((value) => opened.includes(value)).map((value) => `spool: ${value}`),
  ]
}

async function collected(home: string, values: readonly string[]): Promise<string[]> {
  const calls = await collectCalls(home)
  expect(calls.length).toBeGreaterThan(6)
  const shown = await Promise.all(calls.map(({ id }) => runCli(['show', id, '--json', '--home', home])))
  const text = shown.map(({ out }) => out).join('\n')
  expect(text).toContain('$shape')
  return [
    ...filesHolding(home, values),
    ...values.filter((value) => text.includes(value)).map((value) => `shown: ${value}`),
  ]
}

async function talk(home: string, level: string): Promise<void> {
  const running = startRun({ home, words: ['--level', level] })
  await running.ask('initialize', hello)
  running.process.stdin.write(
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"plant-notice-7f3a9c"}}\n',
  )
  running.process.stdin.write('this is no JSON: plant-line-7f3a9c\n')
  for (const [i, [method, params]] of requests.entries())
    await running.ask(method, params, `plant-request-id-7f3a9c-${i}`)
  expect(await running.end()).toBe(0)
  expect(planted.filter((value) => running.errors().includes(value))).toEqual([])
}

describe('level metadata', () => {
  it('leaves no value on disk on stdio, in the clear or sealed, before and after collection [AT-14]', async () => {
    const home = join(makeFolder(), 'home')
    await talk(home, 'metadata')
    expect(await everything(home, planted)).toEqual([])
    expect(await collected(home, planted)).toEqual([])
  }, 120_000)

  it('is what makes the difference: at level full the same values are there, sealed [AT-14]', async () => {
    const home = join(makeFolder(), 'home')
    await talk(home, 'full')
    const found = await everything(home, planted)
    for (const value of [
      'plant-argument-7f3a9c',
      'plant-uri-7f3a9c',
      'plant-request-id-7f3a9c',
      'plant-purpose-7f3a9c',
    ])
      expect(found).toContain(`spool: ${value}`)
    expect(found.filter((name) => !name.startsWith('spool: '))).toEqual([])
  }, 60_000)

  it('leaves no value on disk behind a gateway, not of headers, URLs or results either [AT-14]', async () => {
    const folder = makeFolder()
    const home = join(folder, 'home')
    const config = writeConfig(folder, oneUpstream(`${await serve(upstream)}/mcp`, 'level: metadata\n'))
    const running = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
    for (const [i, [method, params]] of [
      ...requests,
      ['tools/call', { name: 'fail', arguments: {} }] as const,
    ].entries())
      await post(running.base, { jsonrpc: '2.0', id: `plant-request-id-7f3a9c-${i}`, method, params })
    running.process.kill('SIGTERM')
    await running.exit
    const values = [...planted, ...inHttp]
    expect(values.filter((value) => running.errors().includes(value))).toEqual([])
    expect(await everything(home, values)).toEqual([])
    expect(await collected(home, values)).toEqual([])
  }, 120_000)
})

const upstream: RequestListener = async (request, response) => {
  const { id, params } = JSON.parse(await bodyOf(request))
  const content = [{ type: 'text', text: 'plant-result-7f3a9c' }]
  const good = { result: { content, structuredContent: { s: 'plant-structured-7f3a9c' } } }
  const bad = { error: { code: -32000, message: 'plant-error-7f3a9c', data: { why: 'plant-error-7f3a9c' } } }
  answerJson(response, JSON.stringify({ jsonrpc: '2.0', id, ...(params?.name === 'fail' ? bad : good) }))
}

async function post(base: string, body: object): Promise<void> {
  const response = await fetch(`${base}/mcp/one?x=plant-query-7f3a9c`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json', accept: 'application/json, text/event-stream',
      'x-custom': 'plant-header-7f3a9c', 'mcp-name': 'plant-header-7f3a9c', 'mcp-session-id': 'plant-header-7f3a9c',
      tracestate: 'x=plant-header-7f3a9c', 'user-agent': 'plant-header-7f3a9c',
    },
    body: JSON.stringify(body),
  }) // biome-ignore format: one request
  await response.arrayBuffer()
}

describe('another level', () => {
  it('of a wrapped server is a change, ahead of everything at that level, and told once [AT-13]', async () => {
    const home = join(makeFolder(), 'home')
    for (const level of ['arguments', 'arguments', 'metadata', 'metadata', 'full']) {
      const running = startRun({ home, words: ['--level', level] })
      await running.ask('initialize', hello)
      await expect.poll(() => filesHolding(join(home, 'state'), [level])).not.toEqual([])
      await running.end()
    }
    const records = await readSpool(home)
    const isLevel = ({ header }: (typeof records)[number]) =>
      header.kind === 'change' && header.detail.subject === 'config'
    const changes = records.filter(isLevel)
    expect(changes.map(({ sections }) => sections.input)).toEqual([
      { changed: ['level'], level: { before: 'arguments', after: 'metadata' } },
      { changed: ['level'], level: { before: 'metadata', after: 'full' } },
    ])
    for (const { header } of changes) {
      expect(header).toMatchObject({ server: { name: 'echo' }, detail: { event: 'changed' } })
      const requested = records.filter((each) => each.header.streamId === header.streamId && 'stage' in each.header)
      expect(Math.min(...requested.map((each) => each.header.seq))).toBeGreaterThan(header.seq)
    }
  }, 120_000)

  it('of a gateway takes effect when its configuration changes, and is a change that says from what to what [AT-13]', async () => {
    const folder = makeFolder()
    const home = join(folder, 'home')
    const url = `${await serve(upstream)}/mcp`
    const config = writeConfig(folder, oneUpstream(url))
    const running = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
    const ask = (id: number) =>
      post(running.base, {
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'x', arguments: { a: 'plant-argument-7f3a9c' } },
      })
    await ask(1)
    writeFileSync(`${config}.new`, oneUpstream(url, 'level: metadata\n'))
    renameSync(`${config}.new`, config)
    running.process.kill('SIGHUP')
    await expect
      .poll(async () => (await readSpool(home)).map(({ sections }) => sections.input?.level))
      .toContainEqual({ before: 'arguments', after: 'metadata' })
    await ask(2)
    running.process.kill('SIGTERM')
    await running.exit
    expect(running.errors()).not.toContain('AFD_RESTART_NEEDED')
    const calls = await readCalls(home)
    expect(calls.map(({ requested }) => requested.level)).toEqual(['arguments', 'metadata'])
    expect(JSON.stringify(calls[0]?.input)).toContain('plant-argument')
    expect(JSON.stringify(calls[1]?.input)).not.toContain('plant-argument')
  }, 60_000)
})

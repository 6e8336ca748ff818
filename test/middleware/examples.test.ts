import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, it, onTestFinished } from 'vitest'
import { makeFolder } from './harness/audited.ts'
import { argsFor } from './harness/examples.ts'
import { readCalls, readSpool } from './harness/spooled.ts'

/** Starts an example that listens and tells where; it ends by SIGTERM. */
async function startHttp(name: string, home: string) {
  const server = spawn(process.execPath, argsFor(name), {
    env: { ...process.env, AFFIDAVIT_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(server, 'exit')
  const stop = async () => {
    server.kill('SIGTERM')
    return (await exit)[0]
  }
  onTestFinished(() => void server.kill('SIGKILL'))
  const [line] = await once(server.stdout, 'data')
  return { url: new URL(`http://127.0.0.1:${JSON.parse(String(line)).port}/mcp`), stop }
}

it.each(['stdio', 'stdio-v1'])(
  'the example %s records what its client asked for [MW-1] [MW-7] [MW-9]',
  async (name) => {
    const home = makeFolder()
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: argsFor(name),
      env: { PATH: process.env.PATH ?? '', AFFIDAVIT_HOME: home },
    })
    const client = new Client({ name: 'example', version: '1.0.0' })
    await client.connect(transport)
    const { tools } = await client.listTools()
    const tool = tools[0]?.name ?? ''
    const result = await client.callTool({
      name: tool,
      arguments: name === 'stdio' ? { above: 100 } : { customer: 'Ada' },
    })
    expect(result.content).toHaveLength(1)
    await client.close()

    const calls = await readCalls(home)
    expect(calls.map(({ requested }) => requested.method)).toEqual(['initialize', 'tools/list', 'tools/call'])
    expect(calls.map(({ completed }) => completed?.outcome)).toEqual(['success', 'success', 'success'])
    const call = calls[2]
    expect(call?.requested).toMatchObject({ vantage: 'server', sessionSource: 'legacy-stdio', tool: { name: tool } })
    expect(call?.completedSections.resources).toMatchObject({
      resources: [{ type: 'table', name: 'orders', rows: 1, subjectClass: 'customer', source: 'server-hook' }],
    })
    expect((await readSpool(home, 'closed')).at(-1)?.header).toMatchObject({
      detail: { event: 'closed', reason: 'exit' },
    })
  },
)

it.each(['http', 'http-v1'])('the example %s records what its client asked for [MW-2] [MW-7] [MW-9]', async (name) => {
  const home = makeFolder()
  const { url, stop } = await startHttp(name, home)
  const client = new Client({ name: 'example', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(url)
  await client.connect(transport)
  await client.listTools()
  await client.callTool({ name: 'count_orders', arguments: { customer: 'Ada' } })
  if (name === 'http-v1') await transport.terminateSession()
  await client.close()
  expect(await stop()).toBe(0)

  const calls = await readCalls(home)
  expect(calls.map(({ completed }) => completed?.outcome)).toEqual(calls.map(() => 'success'))
  const call = calls.find(({ requested }) => requested.method === 'tools/call')
  expect(call?.requested).toMatchObject({
    vantage: 'server',
    sessionSource: name === 'http' ? 'absent' : 'legacy-http',
    tool: { name: 'count_orders' },
  })
  expect(call?.completedSections.resources).toMatchObject({ resources: [{ name: 'orders', rows: 1 }] })
  expect((await readSpool(home, 'closed')).at(-1)?.header).toMatchObject({
    detail: { event: 'closed', reason: 'exit' },
  })
})

it('the example client records its calls to a server it does not own [MW-11]', async () => {
  const { url, stop } = await startHttp('http', makeFolder())
  const home = makeFolder()
  const agent = spawn(process.execPath, [...argsFor('client'), url.href], {
    env: { ...process.env, AFFIDAVIT_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [[said], [code]] = await Promise.all([once(agent.stdout, 'data'), once(agent, 'exit')])
  await stop()
  expect(JSON.parse(String(said))).toEqual([{ type: 'text', text: '1' }])
  expect(code).toBe(0)
  const calls = await readCalls(home)
  expect(calls.map(({ requested, completed }) => [requested.vantage, requested.method, completed?.outcome])).toEqual([
    ['client', 'initialize', 'success'],
    ['client', 'tools/call', 'success'],
  ])
  expect((await readSpool(home, 'closed')).at(-1)?.header).toMatchObject({
    detail: { event: 'closed', reason: 'exit' },
  })
})

it('the example chained tells the server it calls which call it serves [TR-6]', async () => {
  const home = makeFolder()
  const { url, stop } = await startHttp('http', home)
  const client = new Client({ name: 'example', version: '1.0.0' })
  const args = [...argsFor('chained'), url.href]
  const env = { PATH: process.env.PATH ?? '', AFFIDAVIT_HOME: home }
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }))
  const result = await client.callTool({ name: 'summarise', arguments: { customer: 'Ada' } })
  expect(result.content).toEqual([{ type: 'text', text: '1' }])
  await client.close()
  expect(await stop()).toBe(0)

  const calls = (await readCalls(home)).filter(({ requested }) => requested.kind === 'call')
  const outer = calls.find(({ requested }) => requested.server.name === 'summary')?.requested
  const inner = calls.filter(({ requested }) => requested.server.name === 'orders')
  expect(outer?.parentCallId).toBeUndefined()
  expect(inner.map(({ requested }) => [requested.vantage, requested.parentCallId]).sort()).toEqual([
    ['client', outer?.callId],
    ['server', outer?.callId],
  ])
})

it.each(['docs/MIDDLEWARE.md', 'README.md'])('every line of TypeScript in %s stands in an example [MW-1]', (page) => {
  const root = join(import.meta.dirname, '../..')
  const linesOf = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  const files = readdirSync(join(root, 'examples/middleware'))
  const known = new Set(files.flatMap((file) => linesOf(readFileSync(join(root, 'examples/middleware', file), 'utf8'))))
  const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
    ([, code]) => code ?? '',
  )
  expect(blocks.length).toBeGreaterThan(0)
  expect(blocks.flatMap(linesOf).filter((line) => !known.has(line))).toEqual([])
})

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder, runCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf } from '../gateway/harness/gatewayed.ts'
import { serve } from '../gateway/harness/serve.ts'

const shown: Record<string, string[]> = {}
const definition = (name: string, description: string) => JSON.stringify({ name, description })

/** A server that shows everybody his own tools, and knows everybody by his token. */
function serveShown(): Promise<string> {
  return serve(async (request, response) => {
    const { id, method } = JSON.parse(await bodyOf(request))
    const tools = (shown[request.headers.authorization ?? ''] ?? []).map((tool): unknown => JSON.parse(tool))
    answerJson(response, { jsonrpc: '2.0', id, result: method === 'tools/list' ? { tools } : { content: [] } })
  })
}

let nextId = 1
const message = (method: string, params: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params })

it('behind a gateway everybody has tools of his own, also after it was started anew [TD-3] [TD-6] [TD-9]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  const path = writeConfig(folder, `listen: 127.0.0.1:0\nupstreams:\n  shop:\n    url: ${await serveShown()}\n`)
  const [ana, ben] = ['Bearer opaque-token-of-ana', 'Bearer opaque-token-of-ben']
  const forBen = [definition('buy', 'Buys for Ben.'), definition('refund', 'Only Ben may.')]
  shown[ana] = [definition('buy', 'Buys for Ana.')]
  shown[ben] = forBen
  const run = async (work: (send: (who: string, body: string) => Promise<void>) => Promise<void>) => {
    const running = await startCli(['gateway', '--config', path, '--home', home, '--collector', 'none'])
    await work(async (who, body) => {
      const { status } = await ask(`${running.base}/mcp/shop`, { body, headers: { authorization: who } })
      expect(status).toBe(200)
    })
    running.process.kill('SIGTERM')
    expect(await running.exit).toEqual({ code: 0, signal: null })
  }
  await run(async (send) => {
    for (const who of [ana, ben, ana, ben]) await send(who, message('tools/list'))
  })
  shown[ana] = [definition('buy', 'Buys for Ana, and for the author.')]
  await run(async (send) => {
    await send(ben, message('tools/call', { name: 'refund' }))
    for (const who of [ben, ana, ben, ana]) await send(who, message('tools/list'))
    for (const who of [ana, ben]) await send(who, message('tools/call', { name: 'buy' }))
  })
  await runCli(['collector', '--home', home, '--idle-exit-ms', '0'])

  const lines = async (...args: string[]) =>
    (await runCli([...args, '--json', '--home', home])).out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  const changes = await lines('tools', '--changes')
  expect(changes.map(({ event, tool }) => `${event} ${tool}`)).toEqual([
    'appeared buy', 'changed buy', 'appeared refund', 'changed buy',
  ]) // biome-ignore format: one row per run
  const hash = (text = '') => createHash('sha256').update(text).digest('base64')
  const calls = await lines('query', '--tool', '*')
  expect(calls.map(({ fields }) => fields.tool.value)).toEqual([
    { name: 'refund', definition: hash(forBen[1]) },
    { name: 'buy', definition: hash(shown[ana]?.[0]) },
    { name: 'buy', definition: hash(forBen[0]) },
  ])
}, 90_000)

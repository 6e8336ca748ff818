import { join } from 'node:path'
import { expect, it } from 'vitest'
import { collectCalls, makeFolder, oneUpstream, runCli, startCli, writeConfig } from './harness/cli.ts'
import { answerJson, ask, bodyOf, message, result } from './harness/gatewayed.ts'
import { serve } from './harness/serve.ts'

it('show tells of a task that it is one call, and what came of it, whichever exchange is asked for [GW-12]', async () => {
  const shown = ['working', 'failed']
  const url = await serve(async (request, response) => {
    const { id, method } = JSON.parse(await bodyOf(request))
    if (method === 'tools/call')
      answerJson(response, result(id, { resultType: 'task', taskId: 't-1', status: 'working' }))
    else if (method === 'tasks/get') answerJson(response, result(id, { taskId: 't-1', status: shown.shift() }))
    else answerJson(response, result(id, {}))
  })
  const folder = makeFolder()
  const home = join(folder, 'home')
  const config = writeConfig(folder, oneUpstream(url))
  const running = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
  const post = (id: number, method: string, params: object) =>
    ask(`${running.base}/mcp/one`, { headers: { 'mcp-session-id': 's' }, body: message(id, method, params) })
  await post(1, 'tools/call', { name: 'long', arguments: {} })
  await post(2, 'tasks/get', { taskId: 't-1' })
  await post(3, 'tasks/update', { taskId: 't-1' })
  await post(4, 'tasks/get', { taskId: 't-1' })
  await post(5, 'ping', {})
  running.process.kill('SIGTERM')
  await running.exit
  const calls = await collectCalls(home)
  const idOf = (method: string) => calls.find((call) => call.method === method).id
  for (const method of ['tools/call', 'tasks/get', 'tasks/update']) {
    const { out } = await runCli(['show', idOf(method), '--home', home, '--json'])
    const { group } = JSON.parse(out)
    expect(group).toMatchObject({ groupId: idOf('tools/call'), outcome: 'tool_error', total: 4 })
    expect(group.exchanges.map((each: { outcome: string }) => each.outcome)).toEqual([
      'continued', 'continued', 'success', 'tool_error',
    ]) // biome-ignore format: one list
  }
  const text = (await runCli(['show', idOf('tools/call'), '--home', home])).out
  expect(text).toMatch(/one call +of 4 exchanges; what came of it: tool_error/)
  expect((await runCli(['show', idOf('ping'), '--home', home])).out).not.toContain('one call')
}, 60_000)

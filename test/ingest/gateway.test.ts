import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { collectCalls, makeFolder, type Running, runCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf } from '../gateway/harness/gatewayed.ts'
import { serve } from '../gateway/harness/serve.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, 'harness/weather.ts')
const token = 'a-token-of-the-test'
const authorized = { 'content-type': 'application/json', authorization: `Bearer ${token}` }

const withIngest = (more = '', upstreams = '{}') =>
  `listen: 127.0.0.1:0\nupstreams: ${upstreams}\ningest:\n  listen: 127.0.0.1:0\n${more}`
const argsOf = (folder: string, text: string) => [
  'gateway', '--config', writeConfig(folder, text), '--home', join(folder, 'home'), '--collector', 'none',
] // biome-ignore format: one list
async function reportsOf({ errors, untilSaid }: Running): Promise<string> {
  await untilSaid('reports are taken on')
  return /reports are taken on (http:\S+?)\. \[/.exec(errors())?.[1] ?? ''
}

async function post(url: string, body: object, headers: Record<string, string> = authorized) {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
  return {
    status: answer.status,
    body: (await answer.json()) as { accepted?: { callId: string }[]; error?: { code: string } },
  }
}

async function stop({ process: child, exit }: Running): Promise<void> {
  child.kill('SIGTERM')
  expect(await exit).toEqual({ code: 0, signal: null })
}

const call = {
  source: { name: 'billing', version: '1.4' },
  vantage: 'client',
  server: { name: 'one' },
  method: 'tools/call',
  params: { name: 'read_file', arguments: { path: '/srv/a', password: 'hunter2hunter2' } },
  user: { id: 'alice@example.com', kind: 'person' },
}

describe('a gateway that takes reports', () => {
  it('spans and posted exchanges reach the log, and the commands show them as reported [IG-15] [IG-3] [IG-6]', async () => {
    const upstream = await serve(async (request, response) => {
      const { id } = JSON.parse(await bodyOf(request))
      answerJson(response, { jsonrpc: '2.0', id, result: { tools: [{ name: 'read_file', inputSchema: {} }] } })
    })
    const folder = makeFolder()
    const text = withIngest('  token: { env: REPORT_TOKEN }\n', `\n  one:\n    url: ${upstream}`)
    const running = await startCli(argsOf(folder, text), { REPORT_TOKEN: token })
    const url = await reportsOf(running)
    const home = join(folder, 'home')

    expect(await post(`${url}/v1/exchanges`, call, { 'content-type': 'application/json' })).toMatchObject({
      status: 401,
    })
    await run(process.execPath, [program, 'proto'], {
      env: {
        ...process.env,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces`,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${token}`,
      },
      timeout: 30_000,
    })
    await ask(`${running.base}/mcp/one`, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) })
    expect(await post(`${url}/v1/exchanges`, { ...call, outcome: 'success' })).toMatchObject({ status: 200 })
    const begun = await post(`${url}/v1/exchanges`, { ...call, stage: 'requested' })
    const callId = begun.body.accepted?.[0]?.callId ?? ''
    await stop(running)

    const calls = await collectCalls(home)
    const told = calls.filter(({ method }) => method === 'tools/call')
    // Two spans, of the agent and of the server, told of one call: it counts once.
    expect(told.map(({ fields }) => fields.status.value.outcome).sort()).toEqual([
      'success',
      'success',
      'tool_error',
      'unknown',
    ])
    for (const { fields } of told)
      for (const actor of [fields.identity.value.agent, fields.identity.value.user])
        expect(actor).toMatchObject('absent' in actor ? {} : { assurance: 'claimed', method: 'reported' })
    const posted = told.find(({ id }) => id === callId)
    expect(posted.fields.tool.value).toEqual({ name: 'read_file', definition: expect.any(String) })
    expect(posted.fields.identity.value.user).toMatchObject({ id: 'alice@example.com', source: 'billing 1.4' })
    expect(posted.fields.input.value.json).toContain('[REDACTED:password]')

    const shown = await runCli(['show', '--home', home, callId])
    expect(shown.out).toMatch(/reported +by ingest: no sensor saw it, and everything in it is claimed/)
    const captured = calls.find(({ method, vantage }) => method === 'tools/list' && vantage === 'gateway')
    expect((await runCli(['show', '--home', home, captured.id])).out).not.toMatch(/^ +reported /m)
    expect((await runCli(['verify', '--home', home])).code).toBe(0)
  })

  it('what is accepted survives a kill, and a call in between ends as unknown [IG-2] [IG-3]', async () => {
    const folder = makeFolder()
    const running = await startCli(argsOf(folder, withIngest()))
    const url = `${await reportsOf(running)}/v1/exchanges`
    const json = { 'content-type': 'application/json' }
    const accepted = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        post(url, { ...call, requestId: i, ...(i % 4 === 0 ? { stage: 'requested' } : { outcome: 'timeout' }) }, json),
      ),
    )
    running.process.kill('SIGKILL')
    await running.exit
    const ids = accepted.map(({ body }) => body.accepted?.[0]?.callId)
    const calls = new Map(
      (await collectCalls(join(folder, 'home'))).map((each) => [each.id, each.fields.status.value.outcome]),
    )
    expect(ids.map((id) => calls.get(id))).toEqual(ids.map((_, i) => (i % 4 === 0 ? 'unknown' : 'timeout')))
  })

  it.each([
    [
      'beyond this machine there must be a token',
      withIngest().replace('  listen: 127.0.0.1:0', '  listen: 0.0.0.0:0'),
      'ingest.listen',
    ],
    [
      'and something that ends TLS',
      `${withIngest('  token: { env: HOME }\n').replace('  listen: 127.0.0.1:0', '  listen: 0.0.0.0:0')}`,
      'without TLS',
    ],
    ['a token must be there', withIngest('  token: { env: NO_SUCH_VARIABLE }\n'), 'token of ingest'],
    ['keys are known', withIngest('  port: 1\n'), 'ingest.port'],
  ])('%s [IG-9]', async (_, text, where) => {
    const { code, err } = await runCli(argsOf(makeFolder(), text))
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(where) })
  })
})

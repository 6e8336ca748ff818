import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hashPolicySet } from '../../packages/sensor/src/policy/policy-set.ts'
import { call, initialize, request } from '../capture/harness/wrapped.ts'
import { makeFolder, oneUpstream, runCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf, call as httpCall, result } from '../gateway/harness/gatewayed.ts'
import { listenUntilEnd } from '../gateway/harness/serve.ts'
import { headersIn } from './harness/headers-in.ts'
import { noDrop } from './harness/in-force.ts'

const main = join(import.meta.dirname, '../../packages/sensor/src/cli/main.ts')
const server = join(import.meta.dirname, 'servers/logging.mjs')

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-policy-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** `affidavit-sensor run` before a server that keeps a log, to its end. */
function run(at: string, config: string, input: string): Promise<{ code: number | null; out: string; err: string }> {
  writeFileSync(join(at, 'run.yaml'), config)
  const args = ['run', '--collector', 'none', '--home', join(at, 'home'), '--config', join(at, 'run.yaml'), '--']
  const child = spawn(
    process.execPath,
    ['--conditions=@affidavit/source', main, ...args, process.execPath, server, join(at, 'server.log')],
    { env: process.env },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const parts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (parts.out += chunk))
  child.stderr.on('data', (chunk) => (parts.err += chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...parts })))
}

describe('affidavit run', () => {
  it('a denied call never reaches a server on stdio, by its own log [PO-8]', async () => {
    const at = folder()
    writeFileSync(join(at, 'p.cedar'), noDrop)
    const config = 'policy:\n  mode: enforce\n  files: [p.cedar]\n'
    const batch = `[${call(5, 'drop').trim()},${call(6, 'echo').trim()}]\n`
    const input = initialize + call('a', 'drop') + call(2, 'echo') + batch + request(7, 'tools/list')
    const { code, out, err } = await run(at, config, input)
    expect(err).toBe('')
    expect(code).toBe(0)
    const told = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(told.find(({ id }) => id === 'a')).toMatchObject({
      error: { code: -31004, data: { policies: ['no-drop'] } },
    })
    expect(told.find(({ id }) => id === 2)).toHaveProperty('result')
    expect(told.find((each) => Array.isArray(each))).toMatchObject([
      { id: 5, error: { data: { cause: 'policy' } } },
      { id: 6, error: { data: { cause: 'batch' } } },
    ])
    const log = readFileSync(join(at, 'server.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(log.map(({ id }) => id)).toEqual([0, 2, 7])
    const headers = await headersIn(join(at, 'home'))
    const ended = headers.flatMap((header) =>
      'stage' in header && header.stage === 'completed' ? [header.outcome] : [],
    )
    expect(ended.toSorted()).toEqual(['denied', 'denied', 'denied', 'success', 'success', 'success'])
    expect(headers.map((header) => header.kind === 'change' && header.detail.subject)).toContain('policy')
  })

  it('a policy that is no good keeps the server from being started, and says where [PO-6]', async () => {
    const at = folder()
    writeFileSync(join(at, 'p.cedar'), '@id("a")\npermit(principal, action);')
    const { code, err } = await run(at, 'policy:\n  files: [p.cedar]\n', initialize)
    expect(code).toBe(2)
    expect(err).toMatch(/p\.cedar, line 2: .*\[AFD_POLICY_INVALID\]/)
    expect(existsSync(join(at, 'server.log'))).toBe(false)
    const both = await run(at, 'policy:\n  mode: enforce\n', initialize)
    expect(both.err).toMatch(
      /run\.yaml, line 1: policy: expected one of files, feed and authzen.*\[AFD_CONFIG_INVALID\]/,
    )
  })
})

const noEcho = `@id("no-echo") forbid(principal, action, resource) when { resource.name == "echo" };
@id("all") permit(principal, action, resource);`
const hashOf = (text: string) => hashPolicySet({ policies: [{ name: 'p.cedar', text }], schema: undefined })

describe('affidavit gateway', () => {
  it('takes a changed policy over, keeps the last good one, and records both hashes [PO-13]', async () => {
    const at = makeFolder()
    const seen: string[] = []
    const port = await listenUntilEnd(
      createServer(async (incoming, response) => {
        const body = await bodyOf(incoming)
        seen.push(body)
        answerJson(response, result(JSON.parse(body).id))
      }),
    )
    const file = join(at, 'p.cedar')
    writeFileSync(file, noDrop)
    const config = writeConfig(
      at,
      oneUpstream(`http://127.0.0.1:${port}/mcp`, 'policy:\n  mode: enforce\n  files: [p.cedar]\n'),
    )
    const home = join(at, 'home')
    const gateway = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
    const send = async (name: string) =>
      JSON.parse((await ask(`${gateway.base}/mcp/one`, { body: httpCall(1, name) })).body.toString())
    expect(await send('drop')).toHaveProperty('error')
    expect(await send('echo')).toHaveProperty('result')
    writeFileSync(file, 'permit(principal')
    await gateway.untilSaid('AFD_POLICY_INVALID')
    expect(gateway.errors()).toContain('those before stay in force')
    expect(await send('drop')).toHaveProperty('error')
    // The same mistake a second time is a second one, and is told although the first was told a moment ago.
    writeFileSync(file, noDrop)
    await gateway.untilSaid('AFD_POLICY_BACK')
    writeFileSync(file, 'permit(principal')
    await expect.poll(() => gateway.errors().match(/AFD_POLICY_INVALID/g)?.length, { timeout: 5_000 }).toBe(2)
    writeFileSync(file, noEcho)
    for (let i = 0; i < 40 && 'error' in (await send('drop')); i++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await send('drop')).toHaveProperty('result')
    expect(await send('echo')).toMatchObject({ error: { data: { policies: ['no-echo'] } } })
    expect(seen.filter((body) => body.includes('"drop"')).length).toBeGreaterThan(0)
    gateway.process.kill('SIGTERM')
    await gateway.exit
    const changes = (await headersIn(home)).flatMap((header) =>
      header.kind === 'change' && header.detail.subject === 'policy' ? [header.detail] : [],
    )
    expect(changes).toEqual([
      { subject: 'policy', event: 'loaded', after: hashOf(noDrop) },
      { subject: 'policy', event: 'changed', before: hashOf(noDrop), after: hashOf(noEcho) },
    ])
  })

  it('lets policies see the state of the machine, as its source said last [PO-21]', async () => {
    const at = makeFolder()
    const port = await listenUntilEnd(
      createServer(async (request, response) => answerJson(response, result(JSON.parse(await bodyOf(request)).id))),
    )
    writeFileSync(
      join(at, 'p.cedar'),
      `@id("sound") permit(principal, action, resource)
       when { context has posture && context.posture.state == "fresh" && context.posture.signals.disk.encrypted };`,
    )
    writeFileSync(join(at, 'posture.json'), '{"disk":{"encrypted":true}}')
    const posture = 'posture: { file: ./posture.json, everySeconds: 1, maxAgeSeconds: 600 }\n'
    const more = `policy:\n  mode: enforce\n  files: [p.cedar]\n${posture}`
    const config = writeConfig(at, oneUpstream(`http://127.0.0.1:${port}/mcp`, more))
    const gateway = await startCli(['gateway', '--config', config, '--home', join(at, 'home'), '--collector', 'none'])
    const send = async () =>
      JSON.parse((await ask(`${gateway.base}/mcp/one`, { body: httpCall(1, 'echo') })).body.toString())
    await expect.poll(send, { timeout: 10_000 }).toHaveProperty('result')
    writeFileSync(join(at, 'posture.json'), '{"disk":{"encrypted":false}}')
    await expect.poll(send, { timeout: 10_000 }).toMatchObject({ error: { data: { cause: 'policy' } } })
  })

  it('--check reads the policies, too [PO-6]', async () => {
    const at = makeFolder()
    writeFileSync(join(at, 'p.cedar'), 'permit(principal')
    const config = writeConfig(at, oneUpstream('http://127.0.0.1:1/mcp', 'policy:\n  files: [p.cedar]\n'))
    const checked = await runCli(['gateway', '--check', '--config', config, '--home', join(at, 'home')])
    expect(checked).toMatchObject({ code: 2, err: expect.stringContaining('AFD_POLICY_INVALID') })
  })
})

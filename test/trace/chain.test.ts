import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { findPort, startGatewayProcess } from '../authorization/harness/gateway.ts'
import { type Issuer, startIssuer } from '../authorization/harness/issuer.ts'
import { hasPostgres, startPostgres } from '../middleware/harness/postgres.ts'
import { collect, runCommand } from '../tamper/build-home.ts'
import { startServer } from './harness/server.ts'
import { factOf, outline, trace } from './harness/told.ts'
import { clientOptions, type Telling } from './servers/setup.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const run = '8812345678'
/** What a token of GitHub Actions tells, exchanged for one that names the agent as who acts for the run (RFC 8693 §4.1). */
const runClaims = {
  sub: 'repo:acme/shop:ref:refs/heads/main',
  repository: 'acme/shop',
  workflow: 'nightly-report',
  ref: 'refs/heads/main',
  run_id: run,
  run_attempt: '1',
  environment: 'production',
  client_id: 'report-agent',
  act: { sub: 'report-agent' },
}

/** A gateway that admits tokens of the issuer to `guarded`, and everybody to `open`; each server is elsewhere, on a port. */
async function startGateway(guarded: string, open: readonly string[] = [], more: object = {}) {
  const port = await findPort()
  const ports = new Map<string, number>()
  for (const name of [guarded, ...open]) ports.set(name, await findPort())
  const resource = `http://127.0.0.1:${port}/mcp/${guarded}`
  const upstream = {
    grant: 'token-exchange',
    tokenEndpoint: `${issuer.issuer}/token`,
    audience: `https://${guarded}.internal/mcp`,
    clientId: 'affidavit',
    clientSecret: { env: 'UPSTREAM_SECRET' },
  }
  const authorization = { mode: 'resource', resource, issuers: [{ issuer: issuer.issuer }], upstream }
  const toUpstream = ([name, at]: [string, number]) => {
    const url = `http://127.0.0.1:${at}/mcp`
    return [name, name === guarded ? { url, authorization } : { url }]
  }
  const upstreams = Object.fromEntries([...ports].map(toUpstream))
  const gateway = await startGatewayProcess(
    { listen: `127.0.0.1:${port}`, upstreams, ...more },
    { UPSTREAM_SECRET: issuer.secret },
  )
  onTestFinished(() => gateway.dispose())
  return { gateway, resource, portOf: (name: string) => ports.get(name) ?? 0 }
}

/** What the pipeline's agent does: with the token of its run, one call. Returns the token and what came back. */
async function runAgent(resource: string, call: Parameters<Client['callTool']>[0]) {
  const token = await issuer.mint(resource, runClaims)
  const client = new Client({ name: 'reporter', version: '3.2.0' }, clientOptions)
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { requestInit }))
  await client.listTools()
  const result = await client.callTool(call)
  await client.close()
  return { token, text: JSON.stringify(result.content) }
}

/** Pipeline → agent → gateway → shop → gateway → ledger → PostgreSQL; everything is recorded into one home. */
async function drive(telling: Telling) {
  const postgres = await startPostgres()
  postgres.sql(
    "CREATE TABLE ledger_entries (customer text, amount int); INSERT INTO ledger_entries VALUES ('Ada', 7), ('Ada', 5)",
  )
  const { gateway, resource, portOf } = await startGateway('shop', ['ledger'])
  const { home } = gateway
  const setup = { home, ledger: `${gateway.url}/mcp/ledger`, telling }
  const endLedger = await startServer('ledger', { ...setup, port: portOf('ledger') }, postgres.env)
  const endShop = await startServer('shop', { ...setup, port: portOf('shop') })
  const { token, text } = await runAgent(resource, {
    name: 'customer_total',
    arguments: { customer: 'Ada' },
    _meta: {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      'affidavit/task': 'Nightly report for ghp_0123456789abcdefghijklmnopqrstuvwxyz',
      'affidavit/reason': 'the report needs the total of every customer',
    },
  })
  expect(text).toContain('amount')
  await endShop()
  await endLedger()
  await gateway.stop()
  const log = join(home, '..', 'statements.csv')
  writeFileSync(log, postgres.log())
  collect(home)
  return { home, log, token }
}

describe.skipIf(!hasPostgres)('from a pipeline to a table, over two servers', () => {
  const joins: Record<'header' | 'meta' | 'trace', string> = {
    header: 'parent-call',
    meta: 'parent-call',
    trace: 'trace',
  }

  it.each(Object.entries(joins))(
    'is one chain where the parent is told by %s [TR-1] [TR-4] [TR-6]',
    async (telling, by) => {
      const { home, log } = await drive(telling as Telling)
      const told = trace(home, run, '--log', log)
      expect(told).toMatchObject({ as: 'run', id: run, calls: 2, omitted: 0, breaks: [] })
      expect(outline(told.steps)).toEqual([
        `run run ${run} of acme/shop ← subject (verified)`,
        '  actor report-agent ← act (verified)',
        '    agent reporter 3.2.0 ← client-info (claimed)',
        '      call customer_total on shop 1.4.0 ← request (verified)',
        `        call read_entries on ledger 2.1.0 ← ${by} (claimed)`,
        '          resource table ledger_entries ← server-hook (claimed)',
        expect.stringMatching(/^ {12}log-line statements\.csv:\d+ ← log call id \(claimed\)$/),
      ])
    },
    120_000,
  )

  it('is found by any of its ids, shows purpose, decision and credential, and fits 100 columns [TR-2] [TR-3] [TR-5]', async () => {
    const { home, log, token } = await drive('header')
    const byRun = trace(home, run, '--log', log)
    const inner = byRun.steps[0]?.next[0]?.next[0]?.next[0]?.next[0]?.callId ?? ''
    const whole = outline(byRun.steps)
    expect(outline(trace(home, inner.slice(-12), '--log', log).steps)).toEqual(whole)
    expect(outline(trace(home, traceId, '--log', log).steps)).toEqual(whole)
    expect(factOf(byRun.steps, 'call', 'for')).toEqual([
      expect.stringMatching(/^task: Nightly report for .*\(claimed, _meta\.affidavit\/task\)$/),
      'reason: the report needs the total of every customer (claimed, _meta.affidavit/reason)',
    ])
    expect(factOf(byRun.steps, 'call', 'decision')).toEqual(
      Array(2).fill(expect.stringMatching(/^undecided \(observe\): /)),
    )
    expect(factOf(byRun.steps, 'call', 'credential')[0]).toMatch(
      /^jwt, verified, .*good until 20\d\d-.*, admitted at leaf:\d+$/,
    )
    const text = runCommand(['trace', run, '--home', home, '--log', log])
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(Math.max(...text.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    expect(text.stdout).toContain('no break: every step is joined to the one before it')
    // What redaction matched is in no step, and neither is the token.
    expect(text.stdout + JSON.stringify(byRun)).not.toMatch(/ghp_0123|eyJ/)
    expect(JSON.stringify(byRun)).not.toContain(token)
    const at = (...argv: string[]) => runCommand([...argv, '--home', home]).stdout
    expect(at('query', '--tool', '*')).toMatch(/PURPOSE[\s\S]*\(claimed\) task: Nightly report/)
    expect(at('query', '--tool', '*', '--json')).toContain('"kind":"reason","source":"_meta.affidavit/reason"')
    expect(at('tail', '-n', '100')).toMatch(/customer_total|unlisted tool.*for \(claimed\): Nightly report/)
    const shown = at('show', byRun.steps[0]?.next[0]?.next[0]?.next[0]?.callId ?? '')
    expect(shown).toMatch(/policy .*\n +for +task: Nightly report for .*\n +for +reason: /)
    expect(runCommand(['verify', '--home', home])).toMatchObject({ code: 0 })
  }, 120_000)

  it('where nothing tells that the calls belong together, the break is named [TR-4]', async () => {
    const { home, log } = await drive('nothing')
    const told = trace(home, run, '--log', log)
    expect(told.breaks).toEqual([
      { after: 'customer_total on shop 1.4.0', why: expect.stringContaining('nothing says which data') },
    ])
    const lost = trace(
      home,
      runCommand(['query', '--home', home, '--tool', 'read_entries', '--json']).stdout.match(/"id":"([^"]+)"/)?.[1] ??
        '',
    )
    expect(lost.breaks[0]?.why).toContain('nothing says who started the agent')
  }, 120_000)
})

/** Secrets go to whom a verified token names, from a machine whose state is known to be good, and to nobody else. */
const secretsPolicy = `
@id("rest") permit (principal, action, resource) unless { resource.name == "read_secret" };
@id("secrets-to-verified") @reason("A secret goes to a verified workload.")
permit (principal, action in Action::"tools/call", resource)
when { resource.name == "read_secret" && principal has user && principal.user.assurance == "verified" }
when { context has posture && context.posture.state == "fresh" && context.posture.signals.disk.encrypted };`

it('a pipeline that reads a secret: proven identity, posture, decision, credential with an end, access [TR-5]', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'secrets.cedar'), secretsPolicy)
  const policy = { mode: 'enforce', files: [join(folder, 'secrets.cedar')] }
  const stateFile = join(folder, 'posture.json')
  writeFileSync(stateFile, '{"disk":{"encrypted":false}}')
  const posture = { file: stateFile, everySeconds: 1, maxAgeSeconds: 60 }
  const { gateway, resource, portOf } = await startGateway('vault', [], { policy, posture })
  const { home } = gateway
  const secret = 'correct-horse-battery-staple-of-production'
  const setup = { home, ledger: '', telling: 'nothing', port: portOf('vault') } as const
  const end = await startServer('vault', setup, { VAULT_SECRET: secret })
  const call = {
    name: 'read_secret',
    arguments: { path: 'production/database' },
    _meta: { 'affidavit/reason': 'the deployment needs it' },
  }
  await expect(runAgent(resource, call)).rejects.toThrow(/no policy permits it/)
  writeFileSync(stateFile, '{"disk":{"encrypted":true}}')
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  const { token, text } = await runAgent(resource, call)
  expect(text).toContain(secret)
  await end()
  await gateway.stop()
  collect(home)
  const told = trace(home, run)
  expect(told.breaks).toEqual([])
  expect(outline(told.steps)).toEqual([
    `run run ${run} of acme/shop ← subject (verified)`,
    '  actor report-agent ← act (verified)',
    '    agent reporter 3.2.0 ← client-info (claimed)',
    '      call read_secret on vault 0.9.0 ← request (verified)',
    '      call read_secret on vault 0.9.0 ← request (verified)',
    '        resource path production/database ← server-hook (claimed)',
  ])
  expect(factOf(told.steps, 'run', 'attributes')).toEqual([expect.stringContaining('environment production')])
  expect(factOf(told.steps, 'call', 'posture')).toEqual([
    expect.stringMatching(/^fresh, \d+ s old, claimed by file: disk\.encrypted false$/),
    expect.stringMatching(/^fresh, \d+ s old, claimed by file: disk\.encrypted true$/),
  ])
  expect(factOf(told.steps, 'call', 'decision')).toEqual([
    'denied (enforce): Denied: no policy permits it (2 applied).',
    expect.stringMatching(/^granted \(enforce\): .*secrets-to-verified/),
  ])
  const because = factOf(told.steps, 'call', 'because').join('\n')
  expect(because).toMatch(/secrets-to-verified: .* fails, having seen .*disk\.encrypted = false/)
  expect(because).toMatch(/secrets-to-verified: .*assurance.* holds, having seen .*verified/)
  const reason = 'reason: the deployment needs it (claimed, _meta.affidavit/reason)'
  expect(factOf(told.steps, 'call', 'for')).toEqual([reason, reason])
  const until = new Date((decodeJwt(token).exp ?? 0) * 1000).toISOString()
  expect(factOf(told.steps, 'call', 'credential').slice(1)).toEqual([
    expect.stringMatching(new RegExp(`^jwt, verified, for ${resource}, .*good until ${until}, admitted at leaf:\\d+$`)),
  ])
  expect(factOf(told.steps, 'resource', 'level')).toEqual(['restricted'])
  const question = ['--vantage', 'gateway', '--tool', 'read_secret', '--outcome', 'success']
  const { stdout } = runCommand(['query', '--home', home, '--json', ...question])
  const id = /"id":"([^"]+)"/.exec(stdout)?.[1] ?? ''
  expect(runCommand(['show', id, '--home', home]).stdout).toMatch(
    /policy +disposition granted, mode enforce\n +because +Granted: secrets-to-verified permits it: .*\n +for +reason/,
  )
  expect(runCommand(['trace', run, '--home', home]).stdout).not.toMatch(new RegExp(`${secret}|${token}`))
}, 120_000)

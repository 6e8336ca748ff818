import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { findIn, readHome } from '../authorization/harness/home.ts'
import { createSigningKey } from '../authorization/harness/issuer.ts'
import { collect, runCommand } from '../tamper/build-home.ts'
import { outline, trace } from '../trace/harness/told.ts'
import { type Authority, bundleOf, issue, makeAuthority } from './harness/authority.ts'
import { givenFor, startWorkloadApi, type WorkloadApiServer } from './harness/workload-api.ts'

const binary = join(import.meta.dirname, '../../packages/affidavit/bin/affidavit.js')
const id = 'spiffe://example.org/laptop/agent'
const audience = 'https://crm.example/mcp'
/** Answers every request, and names the variables it was started with. */
const server = `
  let rest = ''
  process.stdin.on('data', (chunk) => {
    const lines = (rest + chunk).split('\\n')
    rest = lines.pop()
    for (const line of lines) {
      const { id } = JSON.parse(line)
      process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: { env: Object.keys(process.env) } }) + '\\n')
    }
  })`

let folder: string
let socket: string
let home: Authority
const servers: WorkloadApiServer[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-workload-'))
  socket = join(folder, 'api.sock')
  home = await makeAuthority('example.org')
})
afterEach(() => {
  for (const each of servers.splice(0)) each.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function serve(svids: Parameters<typeof startWorkloadApi>[1]['svids']) {
  const started = await startWorkloadApi(socket, { authority: home, ...(svids && { svids }) })
  servers.push(started)
  return started
}

interface Session {
  call(): Promise<unknown>
  said(): string
  end(): Promise<Ended>
}
type Opened = Awaited<ReturnType<typeof readHome>>[number]
interface Ended {
  identities: Opened['identity'][]
  auth: object[]
}

async function startSession(identity: object, env: Record<string, string> = {}): Promise<Session> {
  const config = join(folder, 'run.yaml')
  writeFileSync(config, JSON.stringify({ server: 'unit', identity }))
  const dir = join(folder, 'home')
  const argv = ['run', '--home', dir, '--config', config, '--collector', 'none', '--', process.execPath, '-e', server]
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@affidavit/source', binary, ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const text = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => {
    text.out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    text.err += chunk
  })
  const exit = once(child, 'exit')
  let last = 0
  return {
    async call() {
      const number = ++last
      child.stdin?.write(
        `{"jsonrpc":"2.0","id":${number},"method":"tools/call","params":{"name":"look","arguments":{}}}\n`,
      )
      await expect.poll(() => text.out, { timeout: 10_000, interval: 10 }).toContain(`"id":${number},`)
      return text.out
    },
    said: () => text.err,
    async end() {
      child.stdin?.end()
      await exit
      const records = await readHome(dir)
      const requested = records.filter(
        ({ header }) => header.kind === 'call' && 'stage' in header && header.stage === 'requested',
      )
      return {
        identities: requested.map(({ identity }) => identity),
        auth: records.flatMap(({ header, identity }) =>
          header.kind === 'auth' ? [{ ...header.detail, workload: identity?.workload }] : [],
        ),
      }
    },
  }
}

/** Calls until a record made meanwhile would tell what is waited for: the Workload API is asked beside the session. */
async function callUntil(session: Session, isDone: () => boolean): Promise<void> {
  await expect.poll(isDone, { timeout: 15_000 }).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 150))
  await session.call()
}

const parent = { method: 'parent-process', assurance: 'attested' }
const svidOf = (identity: Opened['identity']) => identity?.delegation.find(({ source }) => source === 'workload-api')

const attested = {
  id,
  kind: 'workload',
  assurance: 'attested',
  method: 'x509-svid',
  source: 'workload-api',
  issuer: 'example.org',
}

it('names the workload, follows rotation, and says what is proven; no key and no token is written [SV-12] [SV-15]', async () => {
  const api = await serve([await givenFor(home, id)])
  const session = await startSession({ workloadApi: { socket: `unix://${socket}`, audience } })
  await callUntil(session, () => api.tokens.length > 0)
  const rotated = await givenFor(home, 'spiffe://example.org/laptop/renamed')
  api.give([rotated])
  await callUntil(session, () => api.keys.length > 1)
  const answers = await session.call()
  const { identities, auth } = await session.end()
  const [first, second] = identities
  // What the platform calls it stands beside the process that the kernel attests, and displaces nobody.
  expect(first?.workload).toMatchObject(parent)
  expect(first?.delegation).toHaveLength(1)
  expect(svidOf(first)).toMatchObject({
    ...attested,
    reason:
      'issued to this process, which the agent started, by whoever owns the socket; no other bundle vouches for it',
  })
  expect(first?.token).toMatchObject({
    assurance: 'attested', method: 'jwt-svid', source: 'workload-api', issuer: 'example.org', subject: id, audience, expires: expect.any(String),
  }) // biome-ignore format: one row
  expect(first?.user).toMatchObject({ method: 'os-user' })
  expect(svidOf(second)).toMatchObject({ ...attested, id: 'spiffe://example.org/laptop/renamed' })
  expect(auth).toHaveLength(3)
  expect(auth).toContainEqual(
    expect.objectContaining({ event: 'admitted', workload: expect.objectContaining(attested) }),
  )
  expect(api.metadata.every((each) => each.get('workload.spiffe.io')[0] === 'true')).toBe(true)
  const secrets = [...api.keys, ...api.tokens, ...api.tokens.flatMap((token) => token.split('.').slice(1))]
  expect(await findIn(join(folder, 'home'), secrets)).toEqual([])
  for (const secret of secrets) expect(String(answers) + session.said()).not.toContain(secret)
})

it('stands beside a token that the client was given, and neither displaces the other [SV-12] [AT-6]', async () => {
  const { sign } = await createSigningKey('x')
  const job = await sign({ iss: 'https://ci.example', sub: 'job-7', client_id: 'runner', exp: 4_000_000_000 })
  const api = await serve([await givenFor(home, id)])
  const session = await startSession(
    { token: { env: 'CI_TOKEN' }, workloadApi: { socket: `unix://${socket}`, audience } },
    { CI_TOKEN: job },
  )
  await callUntil(session, () => api.tokens.length > 0)
  const { identities } = await session.end()
  expect(identities.at(-1)).toMatchObject({
    workload: parent,
    user: { method: 'os-user' },
    token: { assurance: 'claimed', issuer: 'https://ci.example' },
    delegation: [
      { id: 'job-7', assurance: 'claimed' },
      { id: 'runner', assurance: 'claimed' },
      { ...attested, id },
    ],
  })
  const dir = join(folder, 'home')
  collect(dir)
  const [, call = ''] =
    /"id":"([^"]+)"/.exec(runCommand(['query', '--home', dir, '--json', '--tool', 'look']).stdout) ?? []
  expect(outline(trace(dir, call).steps).map((line) => line.trim().replace(/ \S*\/node /, ' node '))).toEqual([
    expect.stringMatching(/^user .* ← os-user \(attested\)$/),
    'actor job-7 ← subject (claimed)',
    'workload runner ← client (claimed)',
    `workload ${id} ← svid (attested)`,
    'workload node ← parent-process (attested)',
    expect.stringMatching(/^break nothing says which agent it was/),
    expect.stringMatching(/^call look .*← request \(attested\)$/),
    expect.stringMatching(/^break nothing says which data/),
  ])
}, 60_000)

it('a configured bundle makes it verified, and one that does not vouch for it refuses it [SV-12]', async () => {
  const bundle = join(folder, 'example.json')
  writeFileSync(bundle, JSON.stringify(await bundleOf(home)))
  const api = await serve([await givenFor(home, id)])
  const spiffe = { trustDomains: { 'example.org': { bundle } }, roles: { 'spiffe://example.org/*': 'laptop' } }
  const session = await startSession(
    { workloadApi: { audience }, spiffe },
    { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` },
  )
  await callUntil(session, () => api.tokens.length > 0)
  // Whoever takes over the socket, with an authority of its own for the same trust domain.
  const impostor = await makeAuthority('example.org')
  api.give([await givenFor(impostor, 'spiffe://example.org/admin')])
  await callUntil(session, () => api.keys.length > 1)
  const { identities, auth } = await session.end()
  expect(identities[0]).toMatchObject({
    workload: parent,
    delegation: [{ ...attested, assurance: 'verified' }],
    role: { id: 'laptop', source: 'configuration', assurance: 'verified' },
    token: { assurance: 'verified', method: 'jwt-svid', audience },
  })
  expect(identities[1]?.delegation).toEqual([])
  expect(identities[1]?.workload).toMatchObject({
    ...parent,
    reason: expect.stringContaining('(bad_certificate_signature)'),
  })
  expect(auth).toContainEqual(expect.objectContaining({ event: 'refused', code: 'bad_certificate_signature' }))
})

it('waits for nobody: before it answers, when it denies, when it is gone and when it is back, the record says so [SV-13]', async () => {
  const session = await startSession({ workloadApi: { socket: `unix://${socket}` } })
  await session.call()
  await callUntil(session, () => session.said().includes('AFD_WORKLOAD_API'))
  const first = await serve('denied')
  await callUntil(session, () => session.said().includes('gives this process no identity'))
  first.give([await givenFor(home, id)])
  await callUntil(session, () => first.keys.length > 0)
  first.stop()
  await session.call()
  const again = await serve([await givenFor(home, 'spiffe://example.org/after')])
  await callUntil(session, () => again.keys.length > 0)
  const { identities, auth } = await session.end()
  const named = identities.map((identity) => svidOf(identity) ?? identity?.workload)
  const parentBut = (why: string) => expect.objectContaining({ ...parent, reason: expect.stringContaining(why) })
  expect(named).toEqual([
    // Whichever is sooner: the first call, or the first try.
    parentBut('the Workload API '),
    parentBut('the Workload API cannot be reached'),
    parentBut('the Workload API gives this process no identity'),
    expect.objectContaining(attested),
    // What was given is good until it expires.
    expect.objectContaining(attested),
    expect.objectContaining({ ...attested, id: 'spiffe://example.org/after' }),
  ])
  expect(auth).toContainEqual(expect.objectContaining({ event: 'refused', code: 'permission_denied' }))
}, 60_000)

it.each([
  ['a key that is not the certificate’s', 'key_mismatch', async () => ({ ...(await givenFor(home, id)), wrongKey: await issue(home, id) })],
  ['a certificate for somebody else', 'spiffe_id_differs', async () => ({ ...(await givenFor(home, 'spiffe://example.org/other')), spiffeId: id })],
  ['a chain below nobody', 'untrusted_signer', async () => ({ ...(await givenFor(home, id)), bundle: [await makeAuthority('other.test')] })],
  ['no SPIFFE ID', 'spiffe_id_malformed', async () => ({ ...(await givenFor(home, id)), spiffeId: 'example.org/agent' })],
])('%s is refused: %s [SV-12]', async (_, code, make) => {
  const api = await serve([await make()])
  const session = await startSession({ workloadApi: { socket: `unix://${socket}` } })
  await callUntil(session, () => api.keys.length > 0)
  const { identities, auth } = await session.end()
  expect(identities[0]?.workload).toMatchObject({ method: 'parent-process', reason: expect.stringContaining(`(${code})`) })
  expect(auth).toEqual([expect.objectContaining({ event: 'refused', code })])
}) // biome-ignore format: one row, one case

it.each([
  ['no socket', { workloadApi: {} }, {}, /identity\.workloadApi: no socket is given\. Give identity\.workloadApi\.socket, or set SPIFFE_ENDPOINT_SOCKET/],
  ['a path for a socket', { workloadApi: { socket: '/run/spire/api.sock' } }, {}, /identity\.workloadApi\.socket: expected unix:\/\/\/PATH or tcp:\/\/ADDRESS:PORT/],
  ['a variable of another form', { workloadApi: {} }, { SPIFFE_ENDPOINT_SOCKET: 'api.sock' }, /SPIFFE_ENDPOINT_SOCKET is of another form/],
  ['a bundle that is none', { spiffe: { trustDomains: { 'example.org': { bundle: 'none.json' } } } }, {}, /trustDomains\.example\.org\.bundle: \S+none\.json cannot be used \(ENOENT\)/],
])('%s is told with line and key, before the server starts [SV-11]', async (_, identity, env, told) => {
  const session = await startSession(identity, env)
  const { identities } = await session.end().catch(() => ({ identities: [] }))
  expect(identities).toEqual([])
  expect(session.said()).toMatch(told)
  expect(session.said()).toMatch(/run\.yaml, line 1: .*\[AFD_CONFIG_INVALID\]/s)
}) // biome-ignore format: one row, one case

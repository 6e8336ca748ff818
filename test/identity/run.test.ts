import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSigningKey } from '../authorization/harness/issuer.ts'
import { answerJson } from '../gateway/harness/gatewayed.ts'
import { readCalls, readSpool } from '../middleware/harness/spooled.ts'
import { githubClaims } from './harness/key-server.ts'
import { filesHolding, hello, makeFolder, serve, startRun } from './harness/stdio.ts'

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('base64')

describe.skipIf(process.platform !== 'linux')('a wrapped server', () => {
  it('is called by processes the kernel names; hashes come later, and from memory the next time [AT-1] [AT-5]', async () => {
    const home = join(makeFolder(), 'home')
    const first = startRun({ home })
    await first.ask('initialize', hello)
    const memory = join(home, 'state/executables.json')
    await expect
      .poll(() => existsSync(memory) && Object.keys(JSON.parse(readFileSync(memory, 'utf8'))).length, {
        timeout: 20_000,
      })
      .toBeGreaterThan(0)
    await expect
      .poll(
        async () => {
          await first.ask('tools/call', { name: 'echo' })
          return (await readCalls(home)).at(-1)?.sections.environment.processes.server.executableHash
        },
        { timeout: 20_000 },
      )
      .toBe(sha256(process.execPath))
    expect(await first.end()).toBe(0)
    const calls = await readCalls(home)
    const [opening, last] = [calls[0]?.sections, calls.at(-1)?.sections]
    expect(opening?.identity.workload).not.toHaveProperty('executable')
    expect(opening?.identity.lineage.processes[0]).toMatchObject({
      pid: process.pid,
      missing: expect.stringContaining('a later record'),
    })
    expect(last?.identity.workload).toMatchObject({
      assurance: 'attested',
      executable: sha256(process.execPath),
      uid: process.geteuid?.(),
    })
    expect(last?.identity.lineage.processes[0]).toMatchObject({
      pid: process.pid,
      hash: sha256(process.execPath),
      file: 'same',
    })
    expect(last?.environment.containment).toMatchObject({ pidNamespace: { id: expect.any(Number) } })
    expect(last?.environment.host).toMatchObject({ os: 'linux', osVersion: expect.any(String) })
    expect(statSync(memory).mode & 0o777).toBe(0o600)

    const home2 = startRun({ home })
    await home2.ask('initialize', hello)
    await home2.end()
    const again = (await readCalls(home)).filter(({ requested }) => requested.method === 'initialize').at(-1)
    expect(again?.sections.identity.lineage.processes[0]).toMatchObject({ hash: sha256(process.execPath) })
  }, 60_000)

  it('of a memory that was tampered with reads no nonsense [AT-5]', async () => {
    const home = join(makeFolder(), 'home')
    const first = startRun({ home })
    await first.ask('initialize', hello)
    await first.end()
    writeFileSync(join(home, 'state/executables.json'), '{"x":1,"1:2:3:4:5":"short","__proto__":{"a":"b"}')
    const second = startRun({ home })
    await second.ask('initialize', hello)
    expect(await second.end()).toBe(0)
    expect(second.errors()).toBe('')
  }, 60_000)
})

describe("the token of a wrapped server's client", () => {
  it('is verified, renewed by nobody but us, and written nowhere [AT-6] [AT-8]', async () => {
    const key = await createSigningKey('ci')
    const issuer = await serve((request, response) => {
      if (request.url === '/jwks') return answerJson(response, JSON.stringify({ keys: [key.publicJwk] }))
      answerJson(response, JSON.stringify({ value: token }))
    })
    const now = Math.floor(Date.now() / 1000)
    const token = await key.sign(githubClaims(issuer, 'affidavit', now), { typ: 'JWT' })
    const home = join(makeFolder(), 'home')
    const requestToken = 'runner-request-token-0123456789abcdef'
    const running = startRun({
      home,
      config: `identity:\n  githubActions: { audience: affidavit }\n  issuers: [{ issuer: ${issuer}, kind: github-actions, jwksUri: ${issuer}/jwks, audiences: [affidavit], role: { subjects: { 'repo:acme/*': deployer } } }]\n`,
      env: {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/token?x=1`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
        AFFIDAVIT_CI: 'mine',
      },
    })
    await running.ask('initialize', hello)
    await expect
      .poll(async () => (await readSpool(home)).filter(({ header }) => header.kind === 'auth').length, {
        timeout: 10_000,
      })
      .toBe(1)
    const answer = JSON.stringify(await running.ask('tools/call', { name: 'environment' }))
    expect(await running.end()).toBe(0)
    expect(running.errors()).toBe('')
    // The server has what the user had set, and nothing more of ours.
    expect(answer).toContain(requestToken)
    expect(answer).not.toContain(token)
    expect(answer).not.toContain('AFFIDAVIT_')
    const call = (await readCalls(home)).find(({ requested }) => requested.kind === 'call')
    expect(call?.sections.identity).toMatchObject({
      user: { id: 'alice', assurance: 'verified', issuer },
      role: { id: 'deployer', source: 'configuration' },
      delegation: [{ kind: 'job', id: 'acme/crm/actions/runs/12345678901', assurance: 'verified' }],
      token: { assurance: 'verified', source: 'GitHub Actions token endpoint' },
      workload: { assurance: 'attested' },
    })
    const auth = (await readSpool(home)).find(({ header }) => header.kind === 'auth')
    expect(auth?.header).toMatchObject({ kind: 'auth', server: { name: 'echo' }, detail: { event: 'admitted' } })
    expect(JSON.stringify(await readSpool(home))).not.toContain(token)
    expect(JSON.stringify(await readSpool(home))).not.toContain(token.split('.')[2])
    expect(filesHolding(home, [token, requestToken, token.split('.')[2] ?? ''])).toEqual([])
  }, 60_000)

  it('from a file stays a claim where nobody is trusted, and names key and remedy where it is wrong [AT-6]', async () => {
    const folder = makeFolder()
    const key = await createSigningKey('x')
    writeFileSync(join(folder, 'token'), await key.sign({ iss: 'https://ci.example', sub: 'job-7', exp: 4_000_000_000 }))
    const home = join(folder, 'home')
    const running = startRun({ home, config: `identity:\n  token: { file: ${join(folder, 'token')} }\n` })
    await running.ask('initialize', hello)
    await running.ask('tools/call', { name: 'echo' })
    await running.end()
    const call = (await readCalls(home)).find(({ requested }) => requested.kind === 'call')
    expect(call?.sections.identity).toMatchObject({
      user: { assurance: 'attested' }, token: { assurance: 'claimed', issuer: 'https://ci.example' },
      delegation: [{ id: 'job-7', assurance: 'claimed', source: `file ${join(folder, 'token')}` }],
    })
    for (const [text, message] of [
      ['identity:\n  tokn: { env: X }\n', /line 2: identity\.tokn: /],
      ['identity:\n  token: { env: X }\n  githubActions: { audience: a }\n', /identity: takes token or githubActions, not both/],
      ['posture:\n  command: []\n', /line 1: posture: must have one of/],
      ['environment:\n  cloud: { provider: oci }\n', /line 2: environment\.cloud\.provider: /],
    ] as const) {
      const wrong = startRun({ home, config: text })
      expect(await wrong.end()).toBe(2)
      expect(wrong.errors()).toMatch(message)
    }
  }, 60_000) // biome-ignore format: tables
})

describe('environment and posture of a wrapped server', () => {
  it('are those of the pod, the cloud and the source that are configured [AT-9] [AT-10] [AT-11]', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'podname'), 'crm-7c9\n')
    writeFileSync(join(folder, 'posture.json'), '{"diskEncrypted":true}')
    const cloud = await serve((_, response) => answerJson(response, '{"location":"westeurope","zone":"2"}'))
    const home = join(folder, 'home')
    const running = startRun({
      home,
      env: { NODE_NAME: 'node-4', POD_NAMESPACE: 'crm', KUBERNETES_SERVICE_HOST: '10.0.0.1', IMG: 'sha256:abc' },
      config: `environment:\n  pod: { file: ${join(folder, 'podname')} }\n  image: { env: IMG }\n  zone: { value: rack-9 }\n  cloud: { provider: azure, endpoint: "${cloud}" }\nposture: { file: ${join(folder, 'posture.json')}, everySeconds: 1 }\n`,
    })
    await running.ask('initialize', hello)
    await expect.poll(async () => {
      await running.ask('tools/call', { name: 'echo' })
      return (await readCalls(home)).at(-1)?.sections.environment
    }, { timeout: 20_000 }).toMatchObject({
      host: {
        pod: 'crm-7c9', namespace: 'crm', node: 'node-4', image: 'sha256:abc', region: 'westeurope', zone: 'rack-9',
        sources: expect.arrayContaining([
          { member: 'region', source: 'azure instance metadata' },
          { member: 'node', source: 'environment variable NODE_NAME' },
          { member: 'zone', source: 'configuration' },
        ]),
      },
      posture: { source: 'file', state: 'fresh', signals: [{ name: 'diskEncrypted', value: 'true' }] },
    })
    await running.end()
    expect(running.errors()).toBe('')
  }, 60_000) // biome-ignore format: one section

  it('that say nothing hold up nothing, and are said to [AT-12] [AT-9]', async () => {
    const home = join(makeFolder(), 'home')
    const silent = await serve(() => undefined)
    const running = startRun({
      home,
      config: `environment:\n  cloud: { provider: aws, endpoint: "${silent}", timeoutMs: 300 }\n  pod: { env: NOT_SET }\nposture: { http: ${silent}/ }\n`,
    })
    await running.ask('initialize', hello)
    await expect.poll(() => running.errors(), { timeout: 10_000 }).toContain('AFD_CLOUD_SILENT')
    await running.end()
    expect(running.errors()).toContain('environment.pod is left out: environment variable NOT_SET gives nothing')
    const [call] = await readCalls(home)
    expect(call?.sections.environment.posture).toEqual({ absent: 'the source has not answered yet' })
    expect(call?.sections.environment.host).not.toHaveProperty('region')
  }, 60_000)
})

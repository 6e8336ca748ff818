import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeFolder, oneUpstream, runCli, spawnCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf, call, result } from '../gateway/harness/gatewayed.ts'
import { listenUntilEnd } from '../gateway/harness/serve.ts'
import { headersIn } from './harness/headers-in.ts'
import { noDrop } from './harness/in-force.ts'

const root = join(import.meta.dirname, '../..')
const starter = join(root, 'content/policies/starter.test.yaml')

describe('affidavit policy test', () => {
  it('finds that the starter set decides as it says, and that no policy of it is untested [PO-18] [PO-19]', async () => {
    const { code, out } = await runCli(['policy', 'test', starter])
    expect(out).toMatch(/\n14 passed, 0 failed\n$/)
    expect(out).not.toContain('no case is decided by')
    expect(code).toBe(0)
  })

  it('shows what was expected, what came, and what each condition saw; exit 1 [PO-18]', async () => {
    const at = makeFolder()
    writeFileSync(join(at, 'p.cedar'), `${noDrop}\n@id("idle") permit(principal in Role::"nobody", action, resource);`)
    writeFileSync(
      join(at, 't.yaml'),
      'policies: [p.cedar]\ncases:\n  - name: drops\n    request: { server: s, tool: drop }\n    expect: { decision: permit, determining: [all] }\n',
    )
    const { code, out } = await runCli(['policy', 'test', join(at, 't.yaml')])
    expect(code).toBe(1)
    expect(out).toContain(
      'FAIL  drops\n      expected permit, got deny\n      expected determined by all, got no-drop\n',
    )
    expect(out).toContain('no-drop: when { resource.name == "drop" } holds (resource.name = "drop")')
    expect(out).toContain('no case is decided by: all, idle\n0 passed, 1 failed\n')
    writeFileSync(
      join(at, 'a.yaml'),
      'policies: [p.cedar]\ncases:\n  - name: drops\n    request: { server: s, tool: drop }\n    expect: { decision: deny, approval: true }\n',
    )
    expect((await runCli(['policy', 'test', join(at, 'a.yaml')])).out).toContain('expected that an approval would do')
    const json = await runCli(['policy', 'test', '--json', join(at, 't.yaml')])
    const [first, sum] = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(first).toMatchObject({ name: 'drops', decision: 'deny', determining: ['no-drop'] })
    expect(sum).toMatchObject({ passed: 0, failed: 1, untested: ['all', 'idle'] })
  })

  it('tells a mistake in the file with its line, and in a policy with its file; exit 2 [PO-18]', async () => {
    const at = makeFolder()
    const file = join(at, 't.yaml')
    writeFileSync(
      file,
      'policies: [p.cedar]\ncases:\n  - name: x\n    request: { servr: s }\n    expect: { decision: deny }\n',
    )
    expect(await runCli(['policy', 'test', file])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/t\.yaml, line 4: cases\.0\.request\.servr: there is no such key/),
    })
    writeFileSync(
      file,
      'policies: [p.cedar]\ncases:\n  - name: x\n    request: { server: s }\n    expect: { decision: deny }\n',
    )
    const named = await runCli(['policy', 'test', file])
    expect(named).toMatchObject({ code: 2, err: expect.stringContaining(join(at, 'p.cedar')) })
    expect(named.err).toMatch(
      /t\.yaml names under policies a file that is not there.*@id\("all"\).*\[AFD_CONFIG_UNREADABLE\]/,
    )
    expect((await runCli(['policy', 'tets', file])).err).toMatch(/Did you mean 'test'\?.*\[AFD_USAGE\]/)
  })
})

describe('a file of expectations that is not there', () => {
  it('is named, with the smallest one to begin with, which decides [PO-18]', async () => {
    const at = makeFolder()
    const file = join(at, 'first.test.yaml')
    const { code, err } = await runCli(['policy', 'test', file])
    expect(code).toBe(2)
    expect(err).toMatch(/there is no file of expectations .*first\.test\.yaml.*\[AFD_CONFIG_UNREADABLE\]/)
    writeFileSync(file, err.slice(err.indexOf('\npolicies:')))
    copyFileSync(join(root, 'content/policies/starter.cedar'), join(at, 'starter.cedar'))
    expect(await runCli(['policy', 'test', file])).toMatchObject({ code: 0 })
  })
})

describe('a policy engine that is not installed', () => {
  it('is named, with how to install it [PO-20]', async () => {
    const at = makeFolder()
    writeFileSync(join(at, 'p.cedar'), noDrop)
    const config = writeConfig(at, oneUpstream('http://127.0.0.1:1/mcp', 'policy:\n  files: [p.cedar]\n'))
    const hook = pathToFileURL(join(import.meta.dirname, 'servers/without-cedar.mjs')).href
    const child = spawnCli(['gateway', '--check', '--config', config], { NODE_OPTIONS: `--import ${hook}` })
    let said = ''
    child.stderr?.on('data', (chunk) => (said += chunk))
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(said).toMatch(/@cedar-policy\/cedar-wasm.*npm install @cedar-policy\/cedar-wasm@4.*\[AFD_PLUGIN_MISSING\]/)
    expect(code).toBe(2)
  })
})

describe('the control feed as a file', () => {
  it('is taken over where it is signed and newer, with what it says of others, and never goes back, not even over a restart [PO-16] [PO-22]', async () => {
    const at = makeFolder()
    const home = join(at, 'home')
    mkdirSync(home)
    const key = join(at, 'policy.key')
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key])
    const feed = join(at, 'feed')
    const risk = join(at, 'risk.yaml')
    writeFileSync(risk, '[]')
    const publish = async (version: number, text: string) => {
      writeFileSync(join(at, 'p.cedar'), text)
      return runCli([
        'policy',
        'publish',
        '--key',
        key,
        '--version',
        String(version),
        '--risk',
        risk,
        '--out',
        feed,
        join(at, 'p.cedar'),
      ])
    }
    const { out, err } = await publish(2, noDrop)
    expect(err).toBe('')
    const publicKey = /key: (\S+)/.exec(out)?.[1] ?? ''
    const second = readFileSync(feed)
    const port = await listenUntilEnd(
      createServer(async (request, response) => answerJson(response, result(JSON.parse(await bodyOf(request)).id))),
    )
    const policy = `policy:\n  mode: enforce\n  feed: { file: feed, key: ${publicKey} }\n`
    const config = writeConfig(at, oneUpstream(`http://127.0.0.1:${port}/mcp`, policy))
    const start = ['gateway', '--config', config, '--home', home, '--collector', 'none']
    const gateway = await startCli(start)
    const drops = async () => (await ask(`${gateway.base}/mcp/one`, { body: call(1, 'drop') })).body.toString()
    expect(await drops()).toContain('no-drop')
    await publish(1, '@id("all") permit(principal, action, resource);')
    await gateway.untilSaid('feed_rollback')
    expect(await drops()).toContain('no-drop')
    await publish(3, '@id("all") permit(principal, action, resource);')
    for (let i = 0; i < 40 && (await drops()).includes('error'); i++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await drops()).toContain('result')
    const careful = '@id("all") permit(principal, action, resource) unless { context has risk };'
    writeFileSync(risk, '- { kind: server, id: one, level: high, until: 2100-01-01T00:00:00Z, reason: "a drill" }\n')
    await publish(4, careful)
    for (let i = 0; i < 40 && (await drops()).includes('result'); i++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await drops()).toContain('no policy permits it')
    gateway.process.kill('SIGTERM')
    await gateway.exit
    const changes = (await headersIn(home)).filter(({ kind }) => kind === 'change')
    expect(
      changes.filter((each) => 'detail' in each && 'subject' in each.detail && each.detail.subject === 'policy'),
    ).toHaveLength(3)
    writeFileSync(feed, second)
    expect(await runCli(start)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/version 2, and version 4 was seen.*\[AFD_FEED_REFUSED\]/),
    })
  })
})

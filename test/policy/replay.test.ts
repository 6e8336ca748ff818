import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, oneUpstream, runCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf, call, message, result } from '../gateway/harness/gatewayed.ts'
import { listenUntilEnd } from '../gateway/harness/serve.ts'
import { noDrop } from './harness/in-force.ts'

const asks = `${noDrop}
@id("session") forbid(principal, action, resource) when { context has session && context.session.calls > 1000 };`

/** Calls through a gateway that enforces, collected into the log of a home. */
async function recordCalls(level = 'arguments') {
  const folder = makeFolder()
  const home = join(folder, 'home')
  writeFileSync(join(folder, 'p.cedar'), asks)
  const port = await listenUntilEnd(
    createServer(async (request, response) => answerJson(response, result(JSON.parse(await bodyOf(request)).id))),
  )
  const policy = `level: ${level}\npolicy:\n  mode: enforce\n  files: [p.cedar]\n`
  const config = writeConfig(folder, oneUpstream(`http://127.0.0.1:${port}/mcp`, policy))
  const gateway = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
  const post = (body: string) =>
    ask(`${gateway.base}/mcp/one`, { body, headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` } })
  await post(message(1, 'tools/list', {}))
  await post(call(2, 'echo', { path: '/a/b', n: 5 }))
  await post(call(3, 'drop', {}))
  await post(call(4, 'echo', { path: '/x', password: 'hunter2-hunter2' }))
  await post(message(5, 'resources/read', { uri: 'file:///a' }))
  gateway.process.kill('SIGTERM')
  await gateway.exit
  await runCli(['collector', '--home', home, '--idle-exit-ms', '200'])
  const replay = async (text: string, ...words: string[]) => {
    writeFileSync(join(folder, 'next.cedar'), text)
    const told = await runCli([
      'policy',
      'replay',
      '--since',
      '1h',
      '--home',
      home,
      ...words,
      join(folder, 'next.cedar'),
    ])
    expect(told.err).toBe('')
    return told
  }
  return { folder, home, config, replay }
}

const all = '@id("all") permit(principal, action, resource);'

describe('affidavit policy replay', () => {
  it('shows what would come out otherwise, by which policies, and totals [PO-23]', async () => {
    const { replay, home, config } = await recordCalls()
    expect(await replay(asks)).toMatchObject({
      code: 0,
      out: '4 calls: 4 as before, 0 otherwise, 0 cannot be told; 1 put to no policy\n',
    })
    const opened = await replay(all)
    expect(opened.code).toBe(1)
    expect(opened.out).toMatch(/drop \(unlisted\) on one .* denied -> granted by all\n/)
    expect(opened.out).toContain('4 calls: 3 as before, 1 otherwise, 0 cannot be told')
    expect(opened.out).toContain('  1 denied -> granted\n')
    const { code, out } = await replay(
      `${all} @id("a") @obligation("approval_required") forbid(principal, action, resource is Tool) when { context.arguments has path && context.arguments.path like "/a*" };`,
      '--json',
    )
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(code).toBe(1)
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatchObject({
      tool: 'echo (unlisted)',
      before: { decision: 'granted', mode: 'enforce', policies: ['all'] },
      after: { decision: 'approval_required', policies: ['a'] },
    })
    expect(lines[1]).toMatchObject({
      before: { decision: 'denied', policies: ['no-drop'] },
      after: { decision: 'granted' },
    })
    expect(lines[2]).toMatchObject({
      asked: 4,
      same: 2,
      changed: 2,
      undecidable: 0,
      notAsked: 1,
      changes: { 'granted -> approval_required': 1, 'denied -> granted': 1 },
    })
    const named = await runCli(['policy', 'replay', '--since', '1h', '--config', config, '--home', home])
    expect(named).toMatchObject({ code: 0, out: expect.stringContaining('4 as before') })
    expect(
      await runCli(['policy', 'replay', '--since', '1h', '--until', '2020-01-01', '--config', config]),
    ).toMatchObject({ code: 2 })
    expect((await runCli(['policy', 'replay', '--help'])).out).toMatch(/--since TIME +required/)
    expect((await runCli(['policy', 'replay', '--config', config])).err).toMatch(/needs --since.*\[AFD_USAGE\]/)
    expect((await runCli(['policy', 'replay', '--since', '1h', join(home, 'none.cedar')])).err).toMatch(
      /there is no policy .*none\.cedar.*\[AFD_CONFIG_UNREADABLE\]/,
    )
  }, 60_000)

  it('claims nothing of what is redacted, or on no record; what did not change is known [PO-24]', async () => {
    const { replay } = await recordCalls()
    const secret = await replay(
      `${all} @id("weak") forbid(principal, action, resource) when { context.arguments has password && context.arguments.password == "x" };`,
    )
    expect(secret.code).toBe(1)
    expect(secret.out).toMatch(
      /echo .* granted -> cannot be told: not on record: context\.arguments\.password, for weak\n/,
    )
    expect(secret.out).toContain('4 calls: 2 as before, 1 otherwise, 1 cannot be told')
    const busy = `${asks.replace('1000', '2000')}`
    const { out: unclear } = await replay(busy)
    expect(unclear).toMatch(/not on record: context\.session, for session\n/)
    expect(unclear).toContain('4 calls: 1 as before, 0 otherwise, 3 cannot be told')
    // The same clause, in another policy: it came to the same then.
    const renamed = asks.replace('"session"', '"renamed"')
    expect((await replay(renamed)).out).toContain('4 calls: 4 as before')
    const risky = `${noDrop} @id("risk") forbid(principal, action, resource) when { context has risk };`
    expect((await replay(risky)).out).toContain('context.risk')
    const postured = `${noDrop} @id("posture") forbid(principal, action, resource) when { context has posture };`
    expect((await replay(postured)).out).toContain('4 calls: 4 as before')
  }, 60_000)

  it('decides no argument of a call that was captured as metadata [PO-24]', async () => {
    const { replay } = await recordCalls('metadata')
    const path = `${noDrop} @id("path") forbid(principal, action, resource is Tool) when { context.arguments has path };`
    const { out } = await replay(path)
    // The name of an unlisted tool is a value, and is not kept.
    expect(out).toMatch(/cannot be told: not on record: resource\n/)
    expect(out).toContain('4 calls: 0 as before, 0 otherwise, 4 cannot be told')
  }, 60_000)
})

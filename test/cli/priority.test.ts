import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, echoServer, initialize, request } from '../capture/harness/wrapped.ts'
import { collectCalls, runCli, spawnCli, writeConfig } from '../gateway/harness/cli.ts'

const catalogue = `version: 1
levels: [green, amber, red]
levelOf: { public: green, internal: green, confidential: amber, restricted: red }
entries:
  - { id: echo, tool: echo, sensitivity: green, effect: read }
  - { id: grave, tool: echo, when: [{ argument: /kind, equals: grave }], sensitivity: red, effect: destructive }
  - { id: middle, tool: echo, when: [{ argument: /kind, equals: middle }], sensitivity: amber, effect: destructive }
`
let folder: string
let home: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-priority-'))
  home = join(folder, 'home')
  writeFileSync(join(folder, 'mine.yaml'), catalogue)
  const config = writeConfig(folder, 'server: echo\ncatalogue:\n  files: [mine.yaml]\n  starter: false\n')
  const args = ['run', '--collector', 'none', '--home', home, '--config', config, '--', ...echoServer]
  const child = spawnCli(args, {}, 'pipe')
  const ended = new Promise((resolve) => child.on('close', resolve))
  const kinds = ['usual', 'middle', 'usual', 'grave', 'usual']
  const calls = kinds.map((kind, i) => call(i + 2, 'echo', { kind }))
  // A tool has its name in the log once its server has listed it.
  const listed = new Promise((resolve) =>
    child.stdout?.on('data', (chunk) => String(chunk).includes('"tools"') && resolve(0)),
  )
  child.stdin?.write(initialize + request(1, 'tools/list'))
  await listed
  child.stdin?.end(calls.join('') + call(9, 'other', {}))
  await ended
  await collectCalls(home)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cli = async (...args: string[]) => {
  const { out, err, code } = await runCli([...args, '--home', home])
  return { out, err, code }
}
// biome-ignore lint/suspicious/noExplicitAny: whatever a command prints
const objects = async (...args: string[]): Promise<any[]> =>
  (await cli(...args, '--json')).out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

describe('priority', () => {
  it('is shown with its reasons, also of levels by other names [PR-3] [PR-4]', async () => {
    const calls = await objects('query', '--tool', '*')
    expect(calls.map(({ priority }) => priority)).toEqual(['low', 'high', 'low', 'critical', 'low', 'medium'])
    const [, , , grave] = calls
    expect(grave.reasons).toEqual(['restricted data, destructive'])
    const shown = (await cli('show', grave.id)).out
    expect(shown).toMatch(/^ {2}priority +critical: restricted data, destructive$/m)
    // Nothing of it is written down.
    expect(shown.slice(shown.indexOf('Record call requested'))).not.toMatch(/priority|critical/)
    const lines = (await cli('tail', '-n', '40')).out.split('\n')
    expect(lines.filter((line) => /\bcritical\b/.test(line))).toHaveLength(2)
  })

  it('finds what is at least so grave [PR-3]', async () => {
    for (const [word, count] of [
      ['low', 6],
      ['medium', 3],
      ['high', 2],
      ['critical', 1],
    ] as const)
      expect([word, (await objects('query', '--tool', '*', '--priority', word)).length]).toEqual([word, count])
    expect((await cli('query', '--priority', 'urgent')).err).toMatch(
      /--priority is low, medium, high, critical.*AFD_USAGE/,
    )
  })

  it('lists the gravest first, and counts the rest: none is left out [PR-3]', async () => {
    const listed = await objects('query', '--by', 'priority')
    expect(listed.slice(0, 3).map(({ priority }) => priority)).toEqual(['critical', 'high', 'medium'])
    const low = listed.slice(3)
    expect(low.every(({ priority, hour }) => priority === 'low' && hour.endsWith(':00:00.000Z'))).toBe(true)
    expect(low.filter(({ subject }) => subject === 'echo').reduce((sum, { calls }) => sum + calls, 0)).toBe(3)
    const all = await objects('query')
    expect(3 + low.reduce((sum, { calls }) => sum + calls, 0)).toBe(all.length)
    const { out } = await cli('query', '--by', 'priority')
    expect(out).toMatch(/critical/)
    expect(out).toMatch(/LOW CALLS\n/)
    expect((await objects('query', '--by', 'priority', '--priority', 'high')).length).toBe(2)
    expect((await cli('query', '--by', 'time')).code).not.toBe(0)
  })

  it('is what verify holds an index to [PR-2]', async () => {
    expect((await cli('verify')).code).toBe(0)
    const db = new DatabaseSync(join(home, 'index/index.db'))
    db.exec('UPDATE calls SET requestedPriority = 0')
    db.close()
    const { out, err, code } = await cli('verify')
    expect(code).toBe(1)
    expect(out + err).toContain('requestedPriority')
    expect((await cli('index', 'rebuild')).code).toBe(0)
    expect((await cli('verify')).code).toBe(0)
  })
})

it('status and tools count the tools that were called unclassified [PR-5]', async () => {
  const [status] = await objects('status')
  expect(status.index.totals.unclassified).toEqual({ tools: 1, calls: 1 })
  expect((await cli('status')).out).toMatch(/catalogue +1 tool is not classified, in 1 call: affidavit catalog suggest/)
  const [tool] = await objects('tools', '--tool', 'echo')
  expect(tool).toMatchObject({ calls: 5, unclassified: 0 })
})

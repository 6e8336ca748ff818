import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call, echoServer, initialize, request } from '../capture/harness/wrapped.ts'
import {
  collectCalls,
  makeFolder,
  oneUpstream,
  runCli,
  spawnCli,
  startCli,
  writeConfig,
} from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf } from '../gateway/harness/gatewayed.ts'
import { serve } from '../gateway/harness/serve.ts'

const values = [
  'plain-value-of-nobody',
  '/srv/hr/salaries.csv',
  'https://intern.example.test/a',
  '421337.25',
  'key-valued',
  'HIV of Jane Roe',
  'janeroe',
]
const catalogue = (level: string) => `version: 1
entries:
  - id: echo
    tool: echo
    sensitivity: ${level}
    effect: read
    dataTypes: [salary]
    owner: people-team
    extract: [{ as: path, from: /file }, { as: url, from: /url }, { as: sql, from: /sql, dialect: postgresql }]
  - { id: page, resource: 'intern://**', sensitivity: ${level}, extract: [{ as: url, from: /uri }] }
`
/** As models write it: in double quotes, which make a column of a value. */
const sql = `SELECT id FROM patients WHERE diagnosis = "${values[5]}" OR name = "${values[6]}"`
const args = { note: values[0], file: values[1], url: values[2], n: 421337.25, deep: [{ a: { b: [values[4]] } }], sql }
/** What a client says that the call is for is kept at other levels, and may be searched for. */
const told = 'a-purpose-of-nobody'
const page = 'intern://plain-value-of-nobody/page'

/** Everything under the folder, as bytes. */
function bytesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

/** Runs a session on a home of its own, and returns the home with every record in it, opened. */
async function record(level: string) {
  const folder = makeFolder()
  const home = join(folder, 'home')
  writeFileSync(join(folder, 'mine.yaml'), catalogue(level))
  const config = writeConfig(folder, 'server: people\nlevel: full\ncatalogue:\n  files: [mine.yaml]\n')
  const child = spawnCli(
    ['run', '--collector', 'none', '--home', home, '--config', config, '--', ...echoServer],
    {},
    'pipe',
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.on('close', resolve))
  const meta = { name: 'echo', arguments: args, _meta: { task: told, conversationId: told } }
  const session = [initialize, request(1, 'tools/list'), call(2, 'echo', args), request(3, 'tools/call', meta)]
  child.stdin?.end([...session, request(4, 'resources/read', { uri: page })].join(''))
  expect(await ended).toBe(0)
  const spooled = bytesIn(home)
  const calls = await collectCalls(home)
  const opened: string[] = []
  for (const { id } of calls) opened.push((await runCli(['show', id, '--json', '--home', home])).out)
  return { home, calls, spooled, opened: opened.join('\n') }
}

describe('a home folder', () => {
  it('holds no argument value of any kind of data of the highest level, in any file and any opened section [CL-8]', async () => {
    const { home, calls, spooled, opened } = await record('restricted')
    const tools = calls.filter(({ fields }) => fields.tool.value !== null)
    expect(tools).toHaveLength(2)
    for (const { fields } of tools)
      expect(fields.classification.value).toMatchObject({ level: 'restricted', tags: ['salary'] })
    const all = [opened, spooled, bytesIn(home)].join('\n')
    for (const value of [...values, told, page, 'salaries.csv', 'intern.example.test', '421337'])
      expect([value, all.includes(value), all.includes(encodeURIComponent(value))]).toEqual([value, false, false])
    expect(opened).toContain('mine.yaml#echo')
    expect(opened).toContain('people-team')
    expect(opened).toContain('patients.diagnosis')
    // The search is one that finds.
    expect(opened).toContain('"$shape')
  }, 120_000)

  it('holds them, redacted, of any other level [CL-1] [CL-8]', async () => {
    const { opened, spooled, home } = await record('confidential')
    for (const value of values) expect([value, opened.includes(value)]).toEqual([value, true])
    expect(opened).toContain('path mine.yaml#echo')
    // Sections are encrypted from the first write on, and the index holds no arguments.
    for (const value of values) expect([value, (spooled + bytesIn(home)).includes(value)]).toEqual([value, false])
  }, 120_000)
})

describe('a gateway', () => {
  it('takes a changed catalogue over, records the change, and keeps the one it has where the new one is bad [CL-9] [CL-4]', async () => {
    const upstream = await serve(async (incoming, response) => {
      const { id } = JSON.parse(await bodyOf(incoming))
      answerJson(response, { jsonrpc: '2.0', id, result: { content: [] } })
    })
    const folder = makeFolder()
    const file = join(folder, 'mine.yaml')
    writeFileSync(file, catalogue('internal'))
    const path = writeConfig(folder, oneUpstream(upstream, 'catalogue:\n  files: [mine.yaml]\n  starter: false\n'))
    const home = join(folder, 'home')
    const running = await startCli(['gateway', '--config', path, '--home', home, '--collector', 'none'])
    let id = 1
    const send = () => ask(`${running.base}/mcp/one`, { body: call(id++, 'echo', args).trim() })
    await send()
    writeFileSync(file, catalogue('confidential').replace('effect: read', 'effect: none'))
    await running.untilSaid('AFD_CATALOGUE_INVALID')
    expect(running.errors()).toMatch(/mine\.yaml: line 6, entries\.0\.effect: /)
    await send()
    writeFileSync(file, catalogue('confidential'))
    for (let i = 0; i < 15; i++) {
      await send()
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    running.process.kill('SIGTERM')
    await running.exit
    const calls = await collectCalls(home)
    const seen = calls.map(({ fields }) => fields.classification.value.level)
    expect([seen[0], seen[1], seen.at(-1)]).toEqual(['internal', 'internal', 'confidential'])
    const { out } = await runCli(['tail', '--home', home, '--json', '--lines', '1000'])
    const lines = out.split('\n').filter((line) => line.includes('"subject":"config"'))
    const changes = lines.map((line) => JSON.parse(line)).filter(({ detail }) => detail.event === 'changed')
    expect(changes).toHaveLength(1)
    const shown = await runCli(['show', changes[0].id, '--json', '--home', home])
    expect(JSON.parse(JSON.parse(shown.out).records[0].sections.input).changed).toEqual(['catalogue'])
  }, 120_000)

  it('--check tells a mistake in a catalogue with file, line and key [CL-4]', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'mine.yaml'), 'version: 1\nentries:\n  - { id: a, tool: x, sensitivity: secret }\n')
    const path = writeConfig(folder, oneUpstream('http://127.0.0.1:1/mcp', 'catalogue:\n  files: [mine.yaml]\n'))
    const { code, err } = await runCli(['gateway', '--check', '--config', path])
    expect(code).toBe(2)
    expect(err).toMatch(
      /mine\.yaml: line 3, entries\.0\.sensitivity: secret is none of the levels public, internal.*\[AFD_CATALOGUE_LEVEL\]/,
    )
    const missing = writeConfig(folder, oneUpstream('http://127.0.0.1:1/mcp', 'catalogue:\n  files: [none.yaml]\n'))
    expect((await runCli(['gateway', '--check', '--config', missing])).err).toMatch(
      /none\.yaml cannot be read \(ENOENT\)/,
    )
  })
})

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { call, echoServer, initialize } from '../capture/harness/wrapped.ts'
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

const secrets = {
  email: 'ada.byron@customers.example',
  account: 'ACCT-77120-QX9',
  iban: 'DE89 3704 0044 0532 0130 00',
  note: 'the customer asked that nobody ever mentions the second house near the northern lake to her brother',
}
const customers = JSON.stringify([
  { id: 'CUST-2291-XK', email: secrets.email, account: secrets.account, iban: secrets.iban, note: secrets.note },
])
const catalogue = `version: 1
entries:
  - { id: crm, server: one, tool: query, sensitivity: restricted, effect: read, extract: [{ as: sql, from: /sql, dialect: postgresql }] }
  - { id: people, server: one, when: [{ table: customers }], sensitivity: restricted, dataTypes: [contact] }
  - { id: weather, server: one, tool: weather, sensitivity: internal, effect: read }
  - { id: mail, server: mail, tool: echo, sensitivity: internal, effect: external-send }
`

/** Reads at a gateway, in front of a database's server. */
async function read(folder: string, home: string, blocks = '') {
  const upstream = await serve(async (incoming, response) => {
    const { id, params } = JSON.parse(await bodyOf(incoming))
    const text = params?.name === 'query' ? customers : JSON.stringify({ station: 'STATION-4471-GRZ' })
    answerJson(response, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })
  })
  writeFileSync(join(folder, 'mine.yaml'), catalogue)
  const config = writeConfig(folder, oneUpstream(upstream, `catalogue:\n  files: [mine.yaml]\n${blocks}`))
  const gateway = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
  const send = (id: number, name: string, args: object) =>
    ask(`${gateway.base}/mcp/one`, { body: call(id, name, args).trim() })
  await send(1, 'query', { sql: "SELECT * FROM customers WHERE id = 'CUST-2291-XK'" })
  await send(2, 'weather', { place: 'Graz' })
  gateway.process.kill('SIGTERM')
  await gateway.exit
}

/** Sends by another server, behind another process, on the same home. */
async function write(folder: string, home: string, messages: object[], level = 'metadata', blocks = '') {
  writeFileSync(join(folder, 'run.yaml'), `server: mail\nlevel: ${level}\ncatalogue:\n  files: [mine.yaml]\n${blocks}`)
  const args = ['run', '--collector', 'none', '--home', home, '--config', join(folder, 'run.yaml'), '--', ...echoServer]
  const child = spawnCli(args, {}, 'pipe')
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.stdin?.end(initialize + messages.map((args, i) => call(i + 2, 'echo', args)).join(''))
  expect(await ended).toBe(0)
}

const sent = [
  { to: secrets.email.toUpperCase(), body: 'nothing else' },
  {
    to: 'x@y.example',
    body: `Hello, ${secrets.note.replaceAll(' ', '  ')}.`,
    more: { deep: [secrets.iban.replaceAll(' ', '')] },
  },
  { to: 'x@y.example', body: 'CUST-2291-XK is the one, in STATION-4471-GRZ' },
  { to: 'x@y.example', body: 'the weather is nice' },
]

// biome-ignore lint/suspicious/noExplicitAny: whatever show prints
const show = async (home: string, id: string): Promise<any> =>
  JSON.parse((await runCli(['show', id, '--json', '--home', home])).out)

function bytesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

it('a value read from restricted data is seen again in what another server is handed, across streams, and is kept nowhere [VF-4] [VF-5] [VF-6]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  await read(folder, home)
  await write(folder, home, sent)
  const calls = (await collectCalls(home)).filter(({ kind }) => kind === 'call')
  const reading = calls.find(({ fields }) => fields.classification.value.level === 'restricted')
  const mails = calls.filter(({ fields }) => fields.server.value.name === 'mail')
  expect(mails).toHaveLength(4)
  const shown = await Promise.all(mails.map(({ id }) => show(home, id)))
  const from = { callId: reading.id, server: 'one', level: 'restricted', resources: ['table:customers (restricted)'] }
  expect(
    shown.map(({ values }) =>
      values.in.map(({ from, to }: { from: object; to: { places: string[] } }) => ({ from, places: to.places })),
    ),
  ).toEqual([
    [{ from: expect.objectContaining(from), places: ['/arguments/to'] }],
    [{ from: expect.objectContaining(from), places: ['/arguments/body', '/arguments/more'] }],
    // It was asked for by this id, and the weather is nobody's secret.
    [],
    [],
  ])
  const text = (await runCli(['show', reading.id, '--home', home])).out
  expect(text).toMatch(
    /values +1 value read here reappears in \/arguments\/to of call [0-9a-f]{8}: .* on mail \(external-send\)/,
  )
  expect((await runCli(['show', mails[0].id, '--home', home])).out).toMatch(
    /values +1 value in \/arguments\/to was read by call [0-9a-f]{8} from table:customers \(restricted\): .* on one \(restricted\)/,
  )
  expect((await runCli(['trace', mails[0].id, '--home', home])).out).toMatch(/values.*\/arguments\/to was read by call/)
  // Nothing of a value is on disk, in any file and any opened section.
  const opened = JSON.stringify(shown) + JSON.stringify(await show(home, reading.id))
  expect(opened).toContain('"kept":"all"')
  for (const value of [
    secrets.email,
    secrets.account,
    '3704 0044',
    '370400440532013000',
    'northern lake',
    'second house',
  ])
    expect([value, (bytesIn(home) + opened).toLowerCase().includes(value.toLowerCase())]).toEqual([value, false])
}, 120_000)

it('verify holds the index to them, and a rebuild brings them back [VF-7]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  await read(folder, home)
  await write(folder, home, sent.slice(0, 1))
  const [mail] = (await collectCalls(home)).filter(
    ({ fields }) => fields.server.value.name === 'mail' && fields.input.value,
  )
  expect((await runCli(['verify', '--home', home])).code).toBe(0)
  const tamper = (sql: string) => {
    const db = new DatabaseSync(join(home, 'index/index.db'))
    db.exec(sql)
    db.close()
  }
  tamper('DELETE FROM valueMarks WHERE side = 0')
  expect((await runCli(['verify', '--home', home])).code).toBe(1)
  await runCli(['index', 'rebuild', '--home', home])
  expect((await runCli(['verify', '--home', home])).code).toBe(0)
  tamper("INSERT INTO valueMarks SELECT x'00', side, leaf FROM valueMarks LIMIT 1")
  expect((await runCli(['verify', '--home', home])).code).toBe(1)
  expect(mail).toBeDefined()
}, 120_000)

it('values: none follows nothing, and a level follows data from there on [VF-8]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  await read(folder, home, '  values: none\n')
  await write(folder, home, sent.slice(0, 1), 'metadata', '  values: internal\n')
  const calls = (await collectCalls(home)).filter(({ kind }) => kind === 'call')
  const records = await Promise.all(calls.map(({ id }) => show(home, id)))
  const marked = records.map(({ records: [, completed] }) => [
    completed.sections.output?.values !== undefined,
    completed.sections.resources?.values !== undefined,
  ])
  expect(marked).toEqual([
    [false, false],
    [false, false],
    [true, true],
  ])
  const bad = join(folder, 'affidavit.yaml')
  writeFileSync(bad, readFileSync(bad, 'utf8').replace('values: none', 'values: secret'))
  const { code, err } = await runCli(['gateway', '--check', '--config', bad])
  expect([code, err]).toEqual([
    2,
    expect.stringContaining('secret is none of the levels public, internal, confidential, restricted'),
  ])
}, 120_000)

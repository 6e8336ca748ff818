import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResourcesSection } from '@affidavit/evidence/record/resources-section'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
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
import { hasPostgres, startPostgres } from '../middleware/harness/postgres.ts'

const root = join(import.meta.dirname, '../..')
const binary = join(root, 'packages/affidavit/bin/affidavit.js')
const catalogue = `version: 1
entries:
  - id: database
    server: crm-db
    tool: execute_sql
    sensitivity: internal
    effect: destructive
    extract: [{ as: sql, from: /sql, dialect: postgresql, decides: effect }]
  - id: people
    server: crm-db
    when: [{ table: customers }]
    sensitivity: confidential
    dataTypes: [contact]
    subjectClass: customer
  - id: salaries
    server: crm-db
    when: [{ table: 'hr.*' }]
    sensitivity: restricted
    dataTypes: [salary]
  - id: sweeping
    server: crm-db
    when: [{ statement: { verb: [update, delete], bound: unbounded } }]
    effect: destructive
examples:
  - call: { server: crm-db, tool: execute_sql, arguments: { sql: SELECT name FROM customers LIMIT 5 } }
    expect: { level: confidential, effect: read, resources: [table customers, column customers.name] }
  - call: { server: crm-db, tool: execute_sql, arguments: { sql: UPDATE orders SET open = false } }
    expect: { level: internal, effect: destructive }
`
const statements = [
  'SELECT name, email FROM customers WHERE id = 1',
  'UPDATE orders SET open = false WHERE id = 4711',
  'UPDATE orders SET open = false',
  'SELECT s.amount FROM hr.salaries s JOIN customers c ON c.id = s.id',
  'DROP TABLE orders',
  'SELEC nothing',
]

async function runStatements(env: Record<string, string>, home: string, config: string) {
  const client = new Client({ name: 'analyst', version: '1' })
  const server = [process.execPath, join(root, 'test/classify/servers/postgres.ts')]
  const run = ['run', '--collector', 'none', '--home', home, '--config', config, '--', ...server]
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--conditions=@affidavit/source', binary, ...run],
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  await client.connect(transport)
  const answers = []
  for (const sql of statements) answers.push(await client.callTool({ name: 'execute_sql', arguments: { sql } }))
  await client.close()
  return answers
}

it('what statements read and change in a real PostgreSQL is on record: tables, columns, verb, bound, effect and level [SW-1] [SW-2] [SW-3]', async () => {
  if (!hasPostgres) {
    console.warn('SKIPPED: no PostgreSQL on this machine')
    return
  }
  const postgres = await startPostgres()
  postgres.sql(
    "CREATE TABLE customers (id int, name text, email text); INSERT INTO customers VALUES (1, 'Ada', 'ada@example.org')",
  )
  postgres.sql(
    'CREATE TABLE orders (id int, open bool); CREATE SCHEMA hr; CREATE TABLE hr.salaries (id int, amount int)',
  )
  const folder = makeFolder()
  const home = join(folder, 'home')
  writeFileSync(join(folder, 'mine.yaml'), catalogue)
  const config = writeConfig(folder, 'server: crm-db\ncatalogue:\n  files: [mine.yaml]\n')
  const answers = await runStatements(postgres.env, home, config)
  expect(JSON.stringify(answers[0])).toContain('ada@example.org')
  expect(answers.map(({ isError }) => isError === true)).toEqual([false, false, false, false, false, true])

  const calls = (await collectCalls(home)).filter(({ fields }) => fields.tool.value !== null)
  const told = calls.map(({ fields }) => {
    const { level, resources }: { level: string; resources?: ResourcesSection } = fields.classification.value
    const names = resources?.resources.map(({ type, name, access, level: own }) =>
      [type, name, access, own].filter((each) => each !== undefined && each !== 'read').join(' '),
    )
    const does = resources?.statements?.map(({ verb, effect, bound, unparsable }) =>
      [verb, effect, bound ?? unparsable].join(' '),
    )
    return [level, ...(does ?? []), ...(names ?? [])]
  })
  expect(told).toEqual([
    ['confidential', 'select read bounded', 'table customers confidential', 'column customers.name confidential', 'column customers.email confidential', 'column customers.id confidential'],
    ['internal', 'update write bounded', 'table orders write', 'column orders.open', 'column orders.id'],
    ['internal', 'update write unbounded', 'table orders write', 'column orders.open'],
    ['restricted', 'select read unbounded', 'table hr.salaries restricted', 'table customers confidential', 'column customers.id confidential', 'column hr.salaries.id restricted', 'column hr.salaries.amount restricted'],
    ['internal', 'drop destructive none', 'table orders write'],
    // It may be about anything, and so about the gravest.
    ['restricted', 'selec unknown syntax'],
  ]) // biome-ignore format: one row, one line
  const effects = []
  for (const { id } of calls) effects.push(await shownEffect(home, id))
  expect(effects).toEqual(['read', 'write', 'destructive', 'read', 'destructive', 'destructive'])

  const shown = (await runCli(['show', calls[3]?.id ?? '', '--home', home])).out
  expect(shown).toContain('touches         select: read, unbounded (postgresql)')
  expect(shown).toMatch(/touches +table hr\.salaries: restricted; holds salary; columns id, amount\n/)
  expect(shown).toMatch(/touches +table customers: confidential; holds contact; of customer; columns id\n/)
  expect((await runCli(['show', calls[5]?.id ?? '', '--home', home])).out).toContain(
    'selec: not read (syntax, postgresql), nobody knows',
  )
  // Data of the highest level: its statement is not kept.
  expect(shown).not.toContain('JOIN')
}, 120_000)

async function shownEffect(home: string, id: string): Promise<string | undefined> {
  return /"effectClass":"([a-z-]+)"/.exec((await runCli(['show', id, '--json', '--home', home])).out)?.[1]
}

it('a gateway reads statements too, and policies decide on what they name [SW-1] [SW-4]', async () => {
  const upstream = await serve(async (incoming, response) => {
    const { id } = JSON.parse(await bodyOf(incoming))
    answerJson(response, { jsonrpc: '2.0', id, result: { content: [] } })
  })
  const folder = makeFolder()
  writeFileSync(join(folder, 'mine.yaml'), catalogue.replaceAll('crm-db', 'one').replaceAll('execute_sql', 'echo'))
  const forbid = 'forbid(principal, action, resource) when { resource.accesses.contains("table:public.salaries") }'
  writeFileSync(
    join(folder, 'p.cedar'),
    `@id("all") permit(principal, action, resource);\n@id("none-of-pay") ${forbid};`,
  )
  const blocks = 'catalogue:\n  files: [mine.yaml]\npolicy:\n  mode: enforce\n  files: [p.cedar]\n'
  const path = writeConfig(folder, oneUpstream(upstream, blocks))
  const home = join(folder, 'home')
  const { base } = await startCli(['gateway', '--config', path, '--home', home, '--collector', 'none'])
  const send = async (id: number, sql: string) =>
    (await ask(`${base}/mcp/one`, { body: call(id, 'echo', { sql }).trim() })).body.toString()
  expect(await send(1, 'SELECT * FROM public.customers')).toContain('"result"')
  expect(await send(2, 'SELECT id FROM (SELECT * FROM public."salaries") s')).toContain('none-of-pay')
})

it('without the parser calls pass as before, and program and record say what is missing [SW-5]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  writeFileSync(join(folder, 'mine.yaml'), catalogue.replaceAll('crm-db', 'echo').replaceAll('execute_sql', 'echo'))
  const hook = `import { registerHooks } from 'node:module'
registerHooks({ resolve: (name, context, next) => {
  if (name === 'libpg-query') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(name, context)
} })`
  writeFileSync(join(folder, 'hook.mjs'), hook)
  const config = writeConfig(folder, 'server: echo\ncatalogue:\n  files: [mine.yaml]\n  starter: false\n')
  const args = ['run', '--collector', 'none', '--home', home, '--config', config, '--', ...echoServer]
  const child = spawnCli(args, { NODE_OPTIONS: `--import=${join(folder, 'hook.mjs')}` }, 'pipe')
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  let answered = ''
  child.stderr?.on('data', (chunk) => (said += chunk))
  child.stdout?.on('data', (chunk) => (answered += chunk))
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.stdin?.end(initialize + call(2, 'echo', { sql: 'SELECT 1' }) + call(3, 'echo', { sql: 'SELECT 2' }))
  expect(await ended).toBe(0)
  expect(said.match(/AFD_SQL_PLUGIN_MISSING/g)).toHaveLength(1)
  expect(said).toContain('npm install libpg-query@')
  expect(answered).toContain('"id":3,"result"')
  const [first] = (await collectCalls(home)).filter(({ fields }) => fields.tool.value !== null)
  const shown = (await runCli(['show', first.id, '--json', '--home', home])).out
  expect(shown).toContain('sql_plugin_missing')
  // What is not read may be of anything: of the gravest level, and of the effect that the entry says.
  expect(first.fields.classification.value).toMatchObject({ level: 'restricted' })
  expect(shown).toContain('"effectClass":"destructive"')
})

it('only the parsers of servers that are there are loaded [SW-6]', async () => {
  const folder = makeFolder()
  writeFileSync(
    join(folder, 'hook.mjs'),
    `import { registerHooks } from 'node:module'
registerHooks({ resolve: (name, context, next) => {
  if (/^(libpg-query|@polyglot)/.test(name)) process.stderr.write('LOADED ' + name + '\\n')
  return next(name, context)
} })`,
  )
  const config = writeConfig(folder, 'catalogue: {}\n')
  const loadedFor = async (server: string) => {
    const args = [
      'run',
      '--collector',
      'none',
      '--home',
      join(folder, 'home'),
      '--config',
      config,
      '--server',
      server,
      '--',
      ...echoServer,
    ]
    const child = spawnCli(args, { NODE_OPTIONS: `--import=${join(folder, 'hook.mjs')}` }, 'pipe')
    onTestFinished(() => void child.kill('SIGKILL'))
    let said = ''
    child.stderr?.on('data', (chunk) => (said += chunk))
    const ended = new Promise((resolve) => child.on('close', resolve))
    child.stdin?.end(initialize)
    await ended
    return [...said.matchAll(/LOADED (\S+)/g)].map((match) => match[1])
  }
  expect(await loadedFor('github')).toEqual([])
  expect(await loadedFor('my-postgres')).toEqual(['libpg-query'])
  expect(await loadedFor('sqlite')).toEqual(['@polyglot-sql/sdk'])
})

import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, it } from 'vitest'
import { makeFolder } from './harness/audited.ts'
import { argsFor } from './harness/examples.ts'
import { hasPostgres, startPostgres } from './harness/postgres.ts'
import { readCalls } from './harness/spooled.ts'

it("a line of PostgreSQL's statement log leads to the records of its call [MW-8]", async () => {
  if (!hasPostgres) {
    console.warn('SKIPPED: no PostgreSQL on this machine; joining its log to calls was not tested')
    return
  }
  const postgres = await startPostgres()
  postgres.sql(
    "CREATE TABLE customers (name text, email text); INSERT INTO customers VALUES ('Ada', 'ada@example.org')",
  )
  const home = makeFolder()
  const client = new Client({ name: 'analyst', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: argsFor('postgres'),
      env: { PATH: process.env.PATH ?? '', AFFIDAVIT_HOME: home, ...postgres.env },
    }),
  )
  for (const name of ['Ada', 'Grace']) await client.callTool({ name: 'find_customer', arguments: { name } })
  await client.close()

  const lines = postgres
    .log()
    .split('\n')
    .filter((line) => line.includes('FROM customers'))
  const ids = lines.map((line) => /\/\* affidavit:([0-9a-f-]{36}) \*\//.exec(line)?.[1])
  const calls = (await readCalls(home)).filter(({ requested }) => requested.kind === 'call')
  expect(calls).toHaveLength(2)
  expect(ids).toEqual(calls.map(({ requested }) => requested.callId))
  // From the statement in the database's log to who asked for it, and for what.
  const byLine = calls.find(({ requested }) => requested.callId === ids[0])
  expect(byLine?.requested.tool).toMatchObject({ nameDigest: expect.any(String) })
  expect(byLine?.input).toMatchObject({ name: 'find_customer', arguments: { name: 'Ada' } })
  expect(byLine?.sections.identity).toMatchObject({ agent: { id: 'analyst' } })
  expect(byLine?.completed).toMatchObject({ outcome: 'success', classification: { level: 'confidential' } })
  expect(calls.map(({ completedSections }) => completedSections.resources.resources[0].rows)).toEqual([1, 0])
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import { McpServer } from '@modelcontextprotocol/server'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { auditInto, makeFolder } from './harness/audited.ts'
import { readCalls } from './harness/spooled.ts'

const catalogue = `version: 1
entries:
  - id: sql
    server: crm-postgres
    tool: find
    effect: read
    extract: [{ as: sql, from: /sql, dialect: postgresql }]
  - { id: people, server: crm-postgres, when: [{ table: people }], sensitivity: restricted, dataTypes: [person] }
`

async function connect(home: string, options: Parameters<typeof auditInto>[1]) {
  const server = new McpServer({ name: 'crm', version: '1.0.0' })
  auditInto(home, { serverName: 'crm-postgres', ...options })(server)
  server.registerTool('find', { inputSchema: z.object({ sql: z.string() }) }, () => ({ content: [] }))
  const client = new Client({ name: 'official', version: '1' })
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  await server.connect(serverSide)
  await client.connect(clientSide)
  return (sql: string) => client.callTool({ name: 'find', arguments: { sql } })
}

it('option catalogue classifies what the server is asked, statements included [SW-8]', async () => {
  const home = makeFolder()
  const file = join(home, 'mine.yaml')
  writeFileSync(file, catalogue)
  const find = await connect(home, { catalogue: { files: [file], starter: false } })
  await find('SELECT name FROM people LIMIT 1')
  await find('SELECT 1')
  const calls = (await readCalls(home)).filter(({ requested }) => requested.kind === 'call')
  expect(calls.map(({ requested }) => [requested.level, requested.effectClass, requested.classification])).toEqual([
    ['metadata', 'read', { level: 'restricted', tags: ['person'] }],
    ['arguments', 'read', { level: 'unclassified', tags: [] }],
  ])
  expect(calls[0]?.sections.resources).toMatchObject({
    resources: [{ name: 'people', access: 'read', level: 'restricted' }, { name: 'people.name' }],
    statements: [{ verb: 'select', bound: 'bounded' }],
  })
})

it('the starter catalogue comes first unless it is left out [SW-8]', async () => {
  const home = makeFolder()
  const find = await connect(home, { catalogue: {} })
  await find('SELECT 1')
  const [call] = (await readCalls(home)).filter(({ requested }) => requested.kind === 'call')
  expect(call?.requested.classification.level).toBe('confidential')
})

it('a catalogue that cannot be used refuses every call, and says why [SW-8]', async () => {
  const home = makeFolder()
  const file = join(home, 'mine.yaml')
  writeFileSync(file, catalogue.replace('effect: read', 'effect: reading'))
  await expect(connect(home, { catalogue: { files: [file] } })).rejects.toThrow()
})

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHome } from '@affidavit/sensor/durable/home'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSource } from '../../packages/affidavit/src/cli/index-source.ts'
import { dumpIndex } from '../../packages/affidavit/src/query/sqlite/dump.ts'
import { followIndex, rebuildIndex, updateIndex } from '../../packages/affidavit/src/query/sqlite/follow.ts'
import { openForReading } from '../../packages/affidavit/src/query/sqlite/open.ts'
import { binary, collect, runCommand, stopCollector } from '../tamper/build-home.ts'

const root = join(import.meta.dirname, '../..')
const server = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')
let directory: string
let home: string

/** Three calls: a listed tool, and one the server never listed, twice. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'affidavit-questions-'))
  home = join(directory, 'home')
  const files = join(directory, 'files')
  mkdirSync(files)
  const argv = [binary, 'run', '--home', home, '--server', 'files', '--', process.execPath, server, files]
  const client = new Client({ name: 'demo-agent', version: '1.0.0' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: argv, stderr: 'ignore' }))
  await client.listTools()
  await client.callTool({ name: 'list_directory', arguments: { path: files } })
  for (let i = 0; i < 2; i++)
    await client.callTool({ name: 'delete_everything', arguments: { path: files } }).catch(String)
  await client.close()
  stopCollector(home)
  collect(home)
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const query = (...argv: string[]) => runCommand(['query', '--home', home, ...argv])
const count = (stdout: string) => stdout.split('\n').length - 1

describe('the index', () => {
  it('comes out the same where rebuilds, a follower and queries write it at once [Q-23]', async () => {
    const opened = await openHome(home)
    const source = await openSource(opened)
    const file = join(directory, 'raced.db')
    const dump = () => {
      const db = openForReading(file, opened.identity.origin)
      const lines = [...dumpIndex(db)]
      db.close()
      return lines
    }
    const stop = new AbortController()
    await updateIndex(source, file, stop.signal)
    const before = dump()
    const following = followIndex(source, file, stop.signal)
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        rebuildIndex(source, file, () => undefined),
        rebuildIndex(source, file, () => undefined),
        updateIndex(source, file, stop.signal),
      ])
    }
    stop.abort()
    await following
    await updateIndex(source, file, new AbortController().signal)
    expect(dump()).toEqual(before)
    source.close()
  })
})

describe('calls of tools that were never listed', () => {
  it('are among all tool calls, and are found by the exact name, whose digest the log has [Q-24]', () => {
    expect(count(query('--json', '--tool', '*').stdout)).toBe(3)
    expect(query('--json', '--tool', '*').stderr).toBe('')
    const exact = query('--json', '--tool', 'delete_everything')
    expect({ calls: count(exact.stdout), stderr: exact.stderr }).toEqual({ calls: 2, stderr: '' })
    expect(count(query('--json', '--tool', 'delete_nothing').stdout)).toBe(0)
  })
  it('are counted on stderr where a pattern could not be held against them [Q-24]', () => {
    const pattern = query('--json', '--tool', 'list_*')
    expect(count(pattern.stdout)).toBe(1)
    expect(pattern.stderr).toContain('2 calls to unlisted tools could not be compared')
    expect(query('--json', '--tool', 'list_*', '--tool', 'delete_everything').stderr).toBe('')
    expect(query('--json', '--tool', 'list_*', '--server', 'another').stderr).toBe('')
  })
  it('show the name from the body, and say that it was not listed [Q-24]', () => {
    expect(query('--tool', '*').stdout).toContain('delete_everything (unlisted)')
    const [call] = query('--json', '--tool', 'delete_everything').stdout.split('"', 4).slice(3)
    expect(runCommand(['show', call ?? '', '--home', home]).stdout).toContain('delete_everything (unlisted) on files')
    expect(runCommand(['tail', '--home', home]).stdout).toContain('unlisted tool')
  })
})

describe('sessions', () => {
  it('may be asked for as the table shows them [Q-6]', () => {
    const cells = query('--tool', '*').stdout.split('\n')[1]?.split(/ {2,}/) ?? []
    expect(cells[1]).toMatch(/^[0-9a-f]{8}$/)
    expect(count(query('--json', '--tool', '*', '--session', cells[1] ?? '').stdout)).toBe(3)
    expect(count(query('--json', '--session', 'ffffffff').stdout)).toBe(0)
  })
})

describe('the list of commands', () => {
  it('has every command as it is typed [Q-11]', () => {
    const { stdout } = runCommand(['--help'])
    expect(stdout).toMatch(/^ {2}index rebuild {2,}\S/m)
    expect(stdout).toMatch(/^ {2}query {2,}\S/m)
  })
})

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, it, onTestFinished } from 'vitest'
import { collect, stopCollector } from '../tamper/build-home.ts'
import { binary, createUser, rowsOf, runAside, type User } from './machine.ts'

const everything = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js')
const filesystem = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js')

interface Entry {
  command: string
  args: string[]
  env?: Record<string, string>
}

/** Starts a server exactly as its entry says, in the environment of a client with windows, and reads a file through it. */
async function useEntry(user: User, { command, args, env }: Entry, path: string): Promise<string> {
  const transport = new StdioClientTransport({ command, args, env: { ...user.env, ...env }, cwd: '/', stderr: 'pipe' })
  let diagnostics = ''
  transport.stderr?.on('data', (chunk) => (diagnostics += chunk))
  const client = new Client({ name: 'desk', version: '1.0.0' }, { capabilities: {} })
  await client.connect(transport)
  const result = await client.callTool({ name: 'read_text_file', arguments: { path } })
  await client.close()
  expect(diagnostics.split('\n').filter((line) => line.startsWith('affidavit:'))).toEqual([])
  return JSON.stringify(result)
}

/** A project and a user whose four clients use the file system server, each in a place and a manner of its own. */
function userOfFilesystem(): { user: User; files: string } {
  const user = createUser()
  const files = join(user.folder, 'files')
  mkdirSync(files)
  writeFileSync(join(files, 'a.txt'), 'what the file says')
  const entry = (name: string) => ({
    [name]: { command: process.execPath, args: [filesystem, files], env: { NOTHING: 'x' } },
  })
  user.write(
    '.config/Claude/claude_desktop_config.json',
    JSON.stringify({ mcpServers: entry('desktop-files') }, undefined, '\t'),
  )
  user.write(
    '.claude.json',
    `\uFEFF${JSON.stringify({ projects: { [user.project]: { mcpServers: entry('code files') } } })}`,
  )
  user.write('.cursor/mcp.json', `{ // mine\r\n  "mcpServers": ${JSON.stringify(entry('cursor-files'))},\r\n}`)
  user.write('work/app/.vscode/mcp.json', JSON.stringify({ servers: entry('vscode-files'), inputs: [] }, undefined, 4))
  return { user, files }
}

function entriesOf(user: User): Record<string, Entry> {
  const cursor = user
    .read('.cursor/mcp.json')
    .replace('// mine', '')
    .replace(/,\s*\}$/, '}')
  return {
    ...JSON.parse(user.read('.config/Claude/claude_desktop_config.json')).mcpServers,
    ...JSON.parse(user.read('.claude.json').slice(1)).projects[user.project].mcpServers,
    ...JSON.parse(cursor).mcpServers,
    ...JSON.parse(user.read('work/app/.vscode/mcp.json')).servers,
  }
}

it('the official client starts every wrapped server as the rewritten file says, and its calls are on record [IN-11]', async () => {
  const { user, files } = userOfFilesystem()
  expect(user.run('install', '--yes')).toMatchObject({ code: 0, stderr: '' })
  onTestFinished(() => {
    stopCollector(user.home)
    collect(user.home)
  })
  const entries = entriesOf(user)
  expect(Object.keys(entries).sort()).toEqual(['code files', 'cursor-files', 'desktop-files', 'vscode-files'])
  for (const entry of Object.values(entries))
    expect(await useEntry(user, entry, join(files, 'a.txt'))).toContain('what the file says')
  for (const name of Object.keys(entries)) {
    const { stdout } = user.run('query', '--json', '--tool', 'read_text_file', '--server', name)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout)).toMatchObject({ id: expect.any(String) })
  }
  const rows = rowsOf(user.run('doctor', '--json'))
  for (const name of Object.keys(entries)) expect(rows[name]).toMatchObject({ state: 'covered', reason: 'run' })
})

it('installed by the sensor alone, servers run without a collector and their records wait [IN-11]', async () => {
  const { user, files } = userOfFilesystem()
  const sensor = join(import.meta.dirname, '../../packages/sensor/bin/affidavit-sensor.js')
  const done = spawnSync(process.execPath, [sensor, 'install', '--yes', '--client', 'claude-desktop'], {
    cwd: user.project,
    env: user.env,
    encoding: 'utf8',
  })
  expect(done).toMatchObject({ status: 0, stderr: '' })
  const entry = entriesOf(user)['desktop-files']
  if (entry === undefined) throw new Error('the entry is gone')
  expect(entry.args.slice(0, 4)).toEqual([sensor, 'run', '--collector', 'none'])
  expect(await useEntry(user, entry, join(files, 'a.txt'))).toContain('what the file says')
  expect(readdirSync(join(user.home, 'spool')).filter((name) => name.endsWith('.seg'))).toHaveLength(1)
})

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Runs beside the test, until it ends. */
function beside(argv: readonly string[], env: Record<string, string>): void {
  const child = spawn(process.execPath, argv, { env, stdio: 'ignore' })
  onTestFinished(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  })
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isThere = await fetch(url).then(
      () => true,
      (error: unknown) => !(error instanceof TypeError),
    )
    if (isThere) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} does not answer`)
}

it('the official client reaches an HTTP server through the gateway at the rewritten URL, and its calls are on record [IN-11] [IN-7]', async () => {
  const user = createUser()
  const [serverPort, gatewayPort] = [await freePort(), await freePort()]
  user.write(
    '.cursor/mcp.json',
    JSON.stringify({ mcpServers: { 'all things': { url: `http://localhost:${serverPort}/mcp` } } }),
  )
  user.write('.local/share/affidavit/affidavit.yaml', `listen: 127.0.0.1:${gatewayPort}\nupstreams: {}\n`)
  expect(user.run('install', '--yes')).toMatchObject({ code: 0, stderr: '' })
  const { url } = JSON.parse(user.read('.cursor/mcp.json')).mcpServers['all things']
  expect(url).toBe(`http://127.0.0.1:${gatewayPort}/mcp/all-things`)
  onTestFinished(() => {
    stopCollector(user.home)
    collect(user.home)
  })
  beside([everything, 'streamableHttp'], { ...user.env, PORT: String(serverPort) })
  beside([binary, 'gateway'], user.env)
  await answers(`http://127.0.0.1:${serverPort}/mcp`)
  await answers(`http://127.0.0.1:${gatewayPort}/healthz`)
  const client = new Client({ name: 'desk', version: '1.0.0' }, { capabilities: {} })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  expect(JSON.stringify(await client.callTool({ name: 'echo', arguments: { message: 'through' } }))).toContain(
    'through',
  )
  await client.close()
  const rows = rowsOf(await runAside(user, ['doctor', '--json']))
  expect(rows['all things']).toMatchObject({ state: 'covered', reason: 'gateway' })
  expect(rows['machine:gateway']).toMatchObject({ state: 'good' })
  const { stdout } = await runAside(user, ['query', '--json', '--tool', 'echo', '--server', 'all-things'])
  expect(stdout.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(stdout)).toMatchObject({ id: expect.any(String) })
})

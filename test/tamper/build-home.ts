import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Home, openHome } from '@affidavit/sensor/durable/home'
import { openStream, type SpoolStream } from '@affidavit/sensor/spool/stream'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const root = join(import.meta.dirname, '../..')
export const binary = join(root, 'packages/affidavit/bin/affidavit.js')
const server = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')

/** Runs the real command and returns what it printed. */
export function runCommand(argv: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [binary, ...argv], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, stdout, stderr }
}

/** One session of the official client with the official file system server, behind `affidavit run`. */
export async function runSession(home: string, files: string, rounds: number): Promise<void> {
  mkdirSync(files, { recursive: true })
  writeFileSync(join(files, 'a.txt'), 'hello')
  const argv = [binary, 'run', '--home', home, '--server', 'files', '--', process.execPath, server, files]
  const client = new Client({ name: 'demo-agent', version: '1.0.0' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: argv, stderr: 'ignore' }))
  await client.listTools()
  for (let i = 0; i < rounds; i++) {
    await client.callTool({ name: 'read_text_file', arguments: { path: join(files, 'a.txt') } })
    await client.callTool({ name: 'write_file', arguments: { path: join(files, `b${i % 3}.txt`), content: `x${i}` } })
    await client.callTool({ name: 'read_text_file', arguments: { path: '/nowhere' } })
  }
  await client.close()
}

/** Collects everything and ends. The process that sessions started is waited for by its lock. */
export function collect(home: string): void {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { code, stderr } = runCommand(['collector', '--home', home, '--idle-exit-ms', '0'])
    if (code !== 0) throw new Error(`collector ended with ${code}: ${stderr}`)
    if (readCollector(home).state === 'stopped') return
    spawnSync('sleep', ['0.1'])
  }
  throw new Error('the collector does not come to rest')
}

/** A stream of this very process in the home's spool, with one call that is complete and one that is open. */
export async function spoolStream(home: Home, calls: number): Promise<SpoolStream> {
  const stream = await openStream({ home, software: 'affidavit-sensor test' })
  for (let i = 0; i < calls; i++) {
    await stream.append({ kind: 'heartbeat' }, {})
  }
  return stream
}

/** Ends a collector that a session started, by asking it. */
export function stopCollector(home: string): void {
  const { state, pid } = readCollector(home)
  if (state === 'running' && pid !== undefined) process.kill(pid, 'SIGTERM')
}

function readCollector(home: string): { state?: unknown; pid?: number } {
  const { stdout, stderr } = runCommand(['status', '--home', home, '--json'])
  if (stdout === '') throw new Error(`status said: ${stderr}`)
  const status: unknown = JSON.parse(stdout)
  if (typeof status !== 'object' || status === null || !('collector' in status)) return {}
  const { collector } = status
  if (typeof collector !== 'object' || collector === null || !('state' in collector)) return {}
  return {
    state: collector.state,
    ...('pid' in collector && typeof collector.pid === 'number' ? { pid: collector.pid } : {}),
  }
}

/** A home at rest in three states, each a folder: what the tamper table starts from. */
export interface Homes {
  /** Two sessions collected; two more streams wait in the spool: a closed one, and one whose process lives. */
  full: string
  /** The same home after the first session only: what an insider may have kept to put back. */
  earlier: string
  live: SpoolStream
  directory: string
  remove(): void
}

export async function buildHomes(): Promise<Homes> {
  const directory = mkdtempSync(join(tmpdir(), 'affidavit-tamper-'))
  const full = join(directory, 'full')
  const earlier = join(directory, 'earlier')
  await runSession(full, join(directory, 'files'), 12)
  stopCollector(full)
  collect(full)
  runCommand(['query', '--home', full])
  cpSync(full, earlier, { recursive: true })
  await runSession(full, join(directory, 'files'), 40)
  stopCollector(full)
  collect(full)
  runCommand(['query', '--home', full])
  const home = await openHome(full)
  await (await spoolStream(home, 6)).close('exit')
  const live = await spoolStream(home, 6)
  return { full, earlier, live, directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

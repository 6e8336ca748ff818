import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, ms, percentile, report, stopCollector } from './measure.ts'
import { StdioClient } from './stdio-client.ts'

/** Time from spawning to the answer to `initialize`, bare and wrapped; resident memory of the idle wrapper. */

const affidavit = join(import.meta.dirname, '../packages/affidavit/dist/cli/main.js')
const server = [process.execPath, join(import.meta.dirname, 'servers/echo.mjs')]
const folder = mkdtempSync(join(tmpdir(), 'affidavit-bench-'))
const home = join(folder, 'home')
const wrapped = [process.execPath, affidavit, 'run', '--home', home, '--', ...server]

async function start(command: string[]) {
  const begin = performance.now()
  const client = new StdioClient(command)
  await client.call('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  })
  const elapsedMs = performance.now() - begin
  return { client, elapsedMs }
}

async function sample(command: string[], rounds: number) {
  const all: number[] = []
  for (let i = 0; i < rounds; i++) {
    const { client, elapsedMs } = await start(command)
    all.push(elapsedMs)
    await client.close()
  }
  return all
}

const residentMb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

console.log(
  `Start of affidavit run\n  ${machine()}\n  20 starts each, after a first one that creates the home folder; a collector runs`,
)
await sample(wrapped, 1)
const { client: holder } = await start(wrapped)
await new Promise((resolve) => setTimeout(resolve, 3000))
const bare = await sample(server, 20)
const through = await sample(wrapped, 20)
console.log(`  first answer: bare p50 ${ms(percentile(bare, 0.5))}, wrapped p50 ${ms(percentile(through, 0.5))}`)
report('added start p50', percentile(through, 0.5) - percentile(bare, 0.5), { atMost: 100, unit: 'ms' })
if (process.platform === 'linux' && holder.child.pid !== undefined)
  report('resident, idle', residentMb(holder.child.pid), { atMost: 80, unit: 'MB' })
await holder.close()
await stopCollector(home)
rmSync(folder, { recursive: true, force: true })

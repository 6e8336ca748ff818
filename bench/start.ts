import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, ms, percentile, report, stopCollector } from './measure.ts'
import { StdioClient } from './stdio-client.ts'

/**
 * Time from spawning to the answer to `initialize`: bare, wrapped, and wrapped with policies and a catalogue to read first;
 * resident memory of the idle wrapper.
 */

const affidavit = join(import.meta.dirname, '../packages/affidavit/dist/cli/main.js')
const server = [process.execPath, join(import.meta.dirname, 'servers/echo.mjs')]
const folder = mkdtempSync(join(tmpdir(), 'affidavit-bench-'))
const home = join(folder, 'home')
const wrapped = [process.execPath, affidavit, 'run', '--home', home, '--', ...server]
const starter = join(import.meta.dirname, '../content/policies/starter.cedar')
const configFile = join(folder, 'affidavit.yaml')
writeFileSync(configFile, `policy: { mode: observe, files: [${starter}] }\ncatalogue: { starter: true }\n`)
const deciding = [process.execPath, affidavit, 'run', '--config', configFile, '--home', home, '--', ...server]

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
await sample(deciding, 1)
const tookMs = { bare: [] as number[], wrapped: [] as number[], deciding: [] as number[] }
// In turns, so that what else the machine does hits all alike.
for (let i = 0; i < 20; i++) {
  tookMs.bare.push(...(await sample(server, 1)))
  tookMs.wrapped.push(...(await sample(wrapped, 1)))
  tookMs.deciding.push(...(await sample(deciding, 1)))
}
const half = (name: keyof typeof tookMs) => percentile(tookMs[name], 0.5)
console.log(
  `  first answer: bare p50 ${ms(half('bare'))}, wrapped p50 ${ms(half('wrapped'))}, with policies and catalogue ${ms(half('deciding'))}`,
)
report('added start p50', half('wrapped') - half('bare'), { atMost: 100, unit: 'ms' })
console.log(`  policies and catalogue add ${ms(half('deciding') - half('wrapped'))} to that`)
if (process.platform === 'linux' && holder.child.pid !== undefined)
  report('resident, idle', residentMb(holder.child.pid), { atMost: 80, unit: 'MB' })
await holder.close()
await stopCollector(home)
rmSync(folder, { recursive: true, force: true })

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuUs, machine, measureSync, ms, percentile } from './measure.ts'
import { StdioClient } from './stdio-client.ts'

/** What auditServer adds to a server of the official SDK: to its start, and to its calls. */

const server = [process.execPath, join(import.meta.dirname, 'servers/sdk-echo.mjs')]
const folder = mkdtempSync(join(process.env.AFFIDAVIT_BENCH_DIR ?? tmpdir(), 'affidavit-bench-'))
const argumentsOfCall = {
  name: 'echo',
  arguments: { customer: 4711, note: 'a short sentence of some forty letters', tags: ['a', 'b'] },
}

/** Milliseconds that a fresh process takes to import a module. */
function importMs(specifier: string): number {
  const script = `const t = performance.now(); await import('${specifier}'); console.log(performance.now() - t)`
  const sample = Array.from({ length: 15 }, () => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    })
    return Number(stdout)
  })
  return percentile(sample, 0.5)
}

/** CPU time of the server per call, in µs, under sixteen callers with one call in flight each: what others do beside it does not count. */
async function cpuPerCall(client: StdioClient, count: number) {
  const before = cpuUs(client.child.pid ?? 0)
  const caller = async () => {
    for (let i = 0; i < count / 16; i++) await client.call('tools/call', argumentsOfCall)
  }
  await Promise.all(Array.from({ length: 16 }, caller))
  return (cpuUs(client.child.pid ?? 0) - before) / count
}

async function measure(name: string, env: NodeJS.ProcessEnv) {
  console.log(`  ${name}`)
  const client = new StdioClient(server, { ...process.env, ...env })
  await client.open()
  await cpuPerCall(client, 1600)
  const rate = await client.atRate(argumentsOfCall, 400)
  const cpu = await cpuPerCall(client, 4800)
  await client.close()
  return { p50: percentile(rate, 0.5), p99: percentile(rate, 0.99), cpu }
}

console.log(`What auditServer adds\n  ${machine()}; stdio, 400 calls at 100/s, 4,800 calls at 16 concurrent`)
const [sdk, sensor] = [importMs('@modelcontextprotocol/server'), importMs('@affidavit/sensor/server')]
console.log(`  import: SDK ${ms(sdk)}, middleware ${ms(sensor)}: ${(sensor / sdk).toFixed(2)} × the SDK's`)
const bare = await measure('without', {})
const audited = await measure('with', { BENCH_HOME: join(folder, 'home') })
const sync = percentile(await measureSync(folder, 0), 0.5)
console.log(
  `  at 100/s: without p50 ${ms(bare.p50)}, p99 ${ms(bare.p99)}; with p50 ${ms(audited.p50)}, p99 ${ms(audited.p99)}`,
)
console.log(`  added p50 ${ms(audited.p50 - bare.p50)}, of which two syncs are ${ms(2 * sync)}`)
const added = audited.cpu - bare.cpu
console.log(
  `  CPU per call, 16 in flight: without ${bare.cpu.toFixed(0)} µs, with ${audited.cpu.toFixed(0)} µs; added ${added.toFixed(0)} µs`,
)
rmSync(folder, { recursive: true, force: true })

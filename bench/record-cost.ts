import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { cpuUs, machine, percentile } from './measure.ts'
import { StdioClient } from './stdio-client.ts'

/**
 * CPU time that `affidavit run` takes per call, without a collector: relaying, scanning, redaction, both records, their
 * commits. `node bench/record-cost.ts OTHER` compares this checkout with another one (a copy of the repository with its
 * dependencies), in turns, so that noise hits both alike. Linux alone tells a process's CPU time to others.
 */

const own = resolve(import.meta.dirname, '..')
const checkouts = [own, ...process.argv.slice(2).map((path) => resolve(path))]
const folder = mkdtempSync(join(process.env.AFFIDAVIT_BENCH_DIR ?? tmpdir(), 'affidavit-bench-'))
const rounds = 7
const loads = [1, 4, 32].map((inFlight) => ({ inFlight, calls: 3000 }))
const call = {
  name: 'echo',
  arguments: { customer: 4711, note: 'a short sentence of some forty letters', tags: ['a', 'b'] },
}

/** Sources run directly, so that a checkout need not be built. */
function start(checkout: string, i: number): StdioClient {
  const sensor = join(checkout, 'packages/sensor/src/cli/main.ts')
  const options = ['run', '--collector', 'none', '--home', join(folder, `home-${i}`)]
  const server = [process.execPath, join(own, 'bench/servers/echo.mjs')]
  return new StdioClient([process.execPath, '--conditions=@affidavit/source', sensor, ...options, '--', ...server])
}

async function drive(client: StdioClient, { calls, inFlight }: (typeof loads)[number]): Promise<number> {
  const pid = client.child.pid ?? 0
  const before = cpuUs(pid)
  const caller = async () => {
    for (let i = 0; i < calls / inFlight; i++) await client.call('tools/call', call)
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return (cpuUs(pid) - before) / calls
}

console.log(`CPU time of affidavit run per call\n  ${machine()}\n  ${rounds} rounds of 3,000 calls; medians`)
const clients = checkouts.map(start)
for (const client of clients) await client.open()
for (const client of clients) await drive(client, { calls: 3000, inFlight: 32 })
for (const load of loads) {
  const costs: number[][] = checkouts.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, client] of clients.entries()) costs[i]?.push(await drive(client, load))
  const [first = Number.NaN, ...others] = costs.map((each) => percentile(each, 0.5))
  const shown = others.map((other) => `; elsewhere ${other.toFixed(0)} µs, ${(other / first).toFixed(2)} times as much`)
  console.log(`  ${String(load.inFlight).padStart(2)} in flight: ${first.toFixed(0)} µs${shown.join('')}`)
}
for (const client of clients) await client.close()
rmSync(folder, { recursive: true, force: true })

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, measureSync, ms, percentile, report, stopCollector } from './measure.ts'
import { StdioClient } from './stdio-client.ts'

/** Latency that `affidavit run` adds per call over the bare server, at 100 calls/s and at 16 concurrent. */

const affidavit = join(import.meta.dirname, '../packages/affidavit/dist/cli/main.js')
const server = [process.execPath, join(import.meta.dirname, 'servers/echo.mjs')]
const folder = mkdtempSync(join(process.env.AFFIDAVIT_BENCH_DIR ?? tmpdir(), 'affidavit-bench-'))
const argumentsOfCall = {
  name: 'echo',
  arguments: { customer: 4711, note: 'a short sentence of some forty letters', tags: ['a', 'b'] },
}

/** Sixteen callers, each with one call in flight. */
async function concurrently(client: StdioClient, count: number) {
  const caller = async () => {
    const sample: number[] = []
    for (let i = 0; i < count / 16; i++) sample.push(await client.call('tools/call', argumentsOfCall))
    return sample
  }
  return (await Promise.all(Array.from({ length: 16 }, caller))).flat()
}

async function measure(command: string[], env: NodeJS.ProcessEnv) {
  const client = new StdioClient(command, env)
  await client.open()
  await concurrently(client, 320)
  const rate = await client.atRate(argumentsOfCall, 500)
  const concurrent = await concurrently(client, 3200)
  await client.close()
  return { rate, concurrent }
}

console.log(
  `Added latency of affidavit run\n  ${machine()}\n  500 calls at 100/s; 3,200 calls at 16 concurrent; home in ${folder}`,
)
const bare = await measure(server, process.env)
for (const injectedMs of [0, 4, 15]) {
  const env = { ...process.env, AFFIDAVIT_TEST_SYNC_DELAY_MS: String(injectedMs) }
  const wrapped = await measure(
    [process.execPath, affidavit, 'run', '--home', join(folder, `home-${injectedMs}`), '--', ...server],
    env,
  )
  await stopCollector(join(folder, `home-${injectedMs}`))
  // At the pace of the calls: a disk that rests between syncs takes longer for each.
  const sync = percentile(await measureSync(folder, injectedMs, 100, 5), 0.5)
  console.log(`\n  injected ${injectedMs} ms; sync p50 measured ${ms(sync)}`)
  for (const load of ['rate', 'concurrent'] as const) {
    const added = (p: number) => percentile(wrapped[load], p) - percentile(bare[load], p)
    const name = load === 'rate' ? '100 calls/s' : '16 concurrent'
    console.log(
      `  ${name}: bare p50 ${ms(percentile(bare[load], 0.5))}, p99 ${ms(percentile(bare[load], 0.99))}; wrapped p50 ${ms(percentile(wrapped[load], 0.5))}, p99 ${ms(percentile(wrapped[load], 0.99))}`,
    )
    report(`${name} added p50`, added(0.5), { atMost: 2 * sync + 0.7, unit: 'ms' })
    report(`${name} added p99`, added(0.99), { atMost: 2 * sync + 5.7, unit: 'ms' })
  }
}
rmSync(folder, { recursive: true, force: true })

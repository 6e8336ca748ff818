import { measureSync, percentile, report } from '../measure.ts'
import { type Contestant, type Name, serves, startContestant } from './contestants.ts'
import type { CallJob, CallResult, Era } from './jobs.ts'
import type { Generator } from './processes.ts'
import type { Run } from './run.ts'
import { fixed, printTable } from './table.ts'

/** Latency that each contestant adds per call at 100 calls/s, over the direct way, in turns of one second. */

const turns = 4
const load = { perSecond: 100, count: 100 }

type Samples = Map<Contestant, number[]>

export async function measureLatency(run: Run): Promise<object> {
  console.log(`\nAdded latency, ${turns * load.count} calls at ${load.perSecond}/s each, ms`)
  const found: Record<string, object> = {}
  for (const era of ['legacy', 'modern'] as const) {
    const contestants = await run.start(run.names.filter((name) => serves(name, era)))
    found[era] = await compare(run, era, contestants, 0)
    for (const contestant of contestants) await contestant.stop()
  }
  for (const syncDelayMs of [4, 15]) {
    const gateways = run.names.filter((name) => name === 'direct' || name === 'capture' || name === 'everything')
    const contestants = await Promise.all(
      gateways.map((name) => startContestant(name, { ...run.setting, syncDelayMs })),
    )
    found[`legacy, sync + ${syncDelayMs} ms`] = await compare(run, 'legacy', contestants, syncDelayMs)
    for (const contestant of contestants) await contestant.stop()
  }
  return found
}

async function compare(run: Run, era: Era, contestants: Contestant[], syncDelayMs: number): Promise<object> {
  const samples = await sample(run.calls, era, contestants)
  const syncMs = percentile(await measureSync(run.setting.folder, syncDelayMs), 0.5)
  const direct = [...samples].find(([{ name }]) => name === 'direct')?.[1] ?? []
  const rows = [...samples].map(([{ name }, latencies]) => {
    const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)]
    return { name, p50, p99, addedP50: p50 - percentile(direct, 0.5), addedP99: p99 - percentile(direct, 0.99) }
  })
  console.log(
    `\n  ${era}; sync of the disk p50 ${fixed(syncMs)}${syncDelayMs > 0 ? `, ${syncDelayMs} of it injected` : ''}`,
  )
  printTable(
    ['', 'p50', 'p99', 'added p50', 'added p99'],
    rows.map(({ name, p50, p99, addedP50, addedP99 }) => [
      name,
      ...[p50, p99, addedP50, addedP99].map((ms) => fixed(ms)),
    ]),
  )
  for (const { name, addedP50, addedP99 } of rows.filter(({ name }) => isGateway(name))) {
    report(`${name} added p50`, addedP50, { atMost: 2 * syncMs + 1, unit: 'ms' })
    report(`${name} added p99`, addedP99, { atMost: 2 * syncMs + 6, unit: 'ms' })
  }
  return { syncMs, rows }
}

const isGateway = (name: Name) => name === 'capture' || name === 'everything'

async function sample(calls: Generator<CallJob, CallResult>, era: Era, contestants: Contestant[]): Promise<Samples> {
  const samples: Samples = new Map(contestants.map((contestant) => [contestant, []]))
  for (const { url } of contestants) await calls.run({ url, era, load: { inFlight: 8, forMs: 400 } })
  for (let turn = 0; turn < turns; turn++)
    for (const [{ url }, latencies] of samples) latencies.push(...(await calls.run({ url, era, load })).latenciesMs)
  return samples
}

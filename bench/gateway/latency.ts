import { measureSync, percentile, report } from '../measure.ts'
import { type Contestant, type Name, serves, startContestant } from './contestants.ts'
import type { Era } from './jobs.ts'
import type { Run } from './run.ts'
import { fixed, printTable } from './table.ts'

/**
 * Latency that each contestant adds per call at 100 calls/s, over the direct way, in turns of half a second. The disk's sync
 * is measured before every turn, at the pace of the calls: it is what a gateway waits for, and others may use the disk.
 */

const turns = 8
const load = { perSecond: 100, count: 50 }
const syncsPerTurn = 10

interface Sample {
  latenciesMs: number[]
  syncsMs: number[]
}
type Samples = Map<Contestant, Sample>

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
  const samples = await sample(run, era, contestants, syncDelayMs)
  const direct = [...samples].find(([{ name }]) => name === 'direct')?.[1].latenciesMs ?? []
  const rows = [...samples].map(([{ name }, { latenciesMs, syncsMs }]) => {
    const at = (p: number) => ({
      all: percentile(latenciesMs, p),
      added: percentile(latenciesMs, p) - percentile(direct, p),
    })
    return { name, syncMs: percentile(syncsMs, 0.5), p50: at(0.5), p99: at(0.99) }
  })
  console.log(`\n  ${era}${syncDelayMs > 0 ? `, ${syncDelayMs} ms injected into every sync` : ''}`)
  printTable(
    ['', 'p50', 'p99', 'added p50', 'added p99', 'sync p50'],
    rows.map(({ name, p50, p99, syncMs }) => [
      name,
      ...[p50.all, p99.all, p50.added, p99.added, syncMs].map((ms) => fixed(ms)),
    ]),
  )
  for (const { name, p50, p99, syncMs } of rows.filter(({ name }) => isGateway(name))) {
    report(`${name} added p50`, p50.added, { atMost: 2 * syncMs + 1, unit: 'ms' })
    report(`${name} added p99`, p99.added, { atMost: 2 * syncMs + 6, unit: 'ms' })
  }
  return { rows }
}

const isGateway = (name: Name) => name === 'capture' || name === 'everything'

async function sample(
  { calls, setting }: Run,
  era: Era,
  contestants: Contestant[],
  syncDelayMs: number,
): Promise<Samples> {
  const samples: Samples = new Map(contestants.map((contestant) => [contestant, { latenciesMs: [], syncsMs: [] }]))
  for (const { url } of contestants) await calls.run({ url, era, load: { inFlight: 8, forMs: 1500 } })
  for (let turn = 0; turn < turns; turn++)
    for (const [{ url }, { latenciesMs, syncsMs }] of samples) {
      syncsMs.push(...(await measureSync(setting.folder, syncDelayMs, syncsPerTurn, 5)))
      latenciesMs.push(...(await calls.run({ url, era, load })).latenciesMs)
    }
  return samples
}

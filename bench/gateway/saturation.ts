import { percentile, report } from '../measure.ts'
import { type Contestant, type Name, serves } from './contestants.ts'
import type { Era } from './jobs.ts'
import { cpuUsOf, treeOf } from './processes.ts'
import type { Run } from './run.ts'
import { fixed, printTable, share, whole } from './table.ts'

/** Calls per second of 32 callers, with everything on the same cores, in turns, as a share of the bare proxy's. */

const turns = 9
const load = { inFlight: 32, forMs: 600 }
const targets: Partial<Record<Name, number>> = { capture: 0.65, everything: 0.4 }

interface Turn {
  perSecond: number
  p99Ms: number
  /** CPU time per call of the process in the path, and of everybody: client, server, and all that is between. */
  ownUs: number
  allUs: number
}

export async function measureSaturation(run: Run): Promise<object> {
  console.log(
    `\nSaturation, ${load.inFlight} concurrent echo calls, ${turns} turns of ${load.forMs / 1000} s each; medians`,
  )
  const found: Record<string, object> = {}
  for (const era of ['legacy', 'modern'] as const) {
    const contestants = await run.start(run.names.filter((name) => serves(name, era)))
    found[era] = await compare(run, era, contestants)
    for (const contestant of contestants) await contestant.stop()
  }
  return found
}

async function compare(run: Run, era: Era, contestants: Contestant[]): Promise<object> {
  const all = new Map<Contestant, Turn[]>(contestants.map((contestant) => [contestant, []]))
  // What runs hot is compiled after some thousands of calls.
  for (const { url } of contestants) await run.calls.run({ url, era, load: { ...load, forMs: 3_000 } })
  for (let turn = 0; turn < turns; turn++)
    for (const [contestant, taken] of all) taken.push(await takeTurn(run, era, contestant))
  const rows = [...all].map(([{ name }, taken]) => {
    const of = (key: keyof Turn) => taken.map((turn) => turn[key])
    const median = (key: keyof Turn) => percentile(of(key), 0.5)
    return {
      name,
      perSecond: median('perSecond'),
      least: Math.min(...of('perSecond')),
      most: Math.max(...of('perSecond')),
      p99Ms: median('p99Ms'),
      ownUs: median('ownUs'),
      allUs: median('allUs'),
    }
  })
  const bare = rows.find(({ name }) => name === 'bare')?.perSecond ?? Number.NaN
  console.log(`\n  ${era}`)
  printTable(
    ['', 'calls/s', 'least', 'most', 'of bare', 'p99 ms', 'CPU µs/call', 'of all'],
    rows.map((row) => [
      row.name,
      ...[row.perSecond, row.least, row.most].map(whole),
      share(row.perSecond / bare),
      fixed(row.p99Ms, 1),
      ...[row.ownUs, row.allUs].map(whole),
    ]),
  )
  for (const { name, perSecond } of rows) {
    const target = targets[name]
    if (target !== undefined && Number.isFinite(bare))
      report(`${name} of the bare proxy`, (perSecond / bare) * 100, { atLeast: target * 100, unit: '%' })
  }
  return { rows }
}

async function takeTurn({ calls, serverPid }: Run, era: Era, { url, pid }: Contestant): Promise<Turn> {
  const between = pid === undefined ? [] : treeOf(pid)
  const spent = () => [
    pid === undefined ? Number.NaN : cpuUsOf(pid),
    sum([calls.pid, serverPid, ...between].map(cpuUsOf)),
  ]
  const [ownBefore = 0, allBefore = 0] = spent()
  const { latenciesMs, elapsedMs } = await calls.run({ url, era, load })
  const [own = 0, all = 0] = spent()
  const count = latenciesMs.length
  return {
    perSecond: (count / elapsedMs) * 1000,
    p99Ms: percentile(latenciesMs, 0.99),
    ownUs: (own - ownBefore) / count,
    allUs: (all - allBefore) / count,
  }
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

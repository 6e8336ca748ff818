import { setTimeout as sleep } from 'node:timers/promises'
import { report } from '../measure.ts'
import { type Contestant, type Name, startContestant } from './contestants.ts'
import { memoryOf, resetPeak } from './processes.ts'
import type { Run } from './run.ts'
import { fixed, printTable, share, whole } from './table.ts'

/** Large results, idle streams and slow readers: rate, and memory of the process in the path. */

const giga = 1 << 30
const mega = 1 << 20
const isInPath = (name: Name) => name === 'bare' || name === 'capture' || name === 'everything'
const isGateway = (name: Name) => isInPath(name) && name !== 'bare'

/** One result of 1 GB, as JSON and as one event; peers hold messages in memory, so they are not asked. */
export async function measureStream(run: Run): Promise<object> {
  console.log('\nA result of 1 GB, streamed (peers hold messages whole and take no part)')
  const found: Record<string, object> = {}
  for (const form of ['json', 'sse'] as const) {
    const rows: { name: Name; mbPerSecond: number; grownMb: number }[] = []
    for (const name of run.names.filter((one) => one === 'direct' || isInPath(one))) {
      const contestant = await startContestant(name, run.streaming)
      rows.push({ name, ...(await stream(run, contestant, form)) })
      await contestant.stop()
    }
    const bare = rows.find(({ name }) => name === 'bare')
    console.log(`\n  ${form === 'json' ? 'application/json' : 'one event of text/event-stream'}`)
    printTable(
      ['', 'MB/s', 'of bare', 'memory grown, MB'],
      rows.map(({ name, mbPerSecond, grownMb }) => [
        name,
        whole(mbPerSecond),
        share(mbPerSecond / (bare?.mbPerSecond ?? Number.NaN)),
        fixed(grownMb, 0),
      ]),
    )
    for (const { name, mbPerSecond, grownMb } of rows.filter((row) => bare !== undefined && isGateway(row.name))) {
      const { mbPerSecond: rate, grownMb: grown } = bare ?? { mbPerSecond: Number.NaN, grownMb: Number.NaN }
      report(`${name} ${form}, rate of the bare proxy's`, (mbPerSecond / rate) * 100, { atLeast: 50, unit: '%' })
      report(`${name} ${form}, memory grown`, grownMb, { atMost: grown + 32, unit: 'MB' })
    }
    found[form] = rows
  }
  return found
}

async function stream(run: Run, { url, pid }: Contestant, form: 'json' | 'sse') {
  await run.reads.run({ url, form, bytes: mega })
  if (pid !== undefined) resetPeak(pid)
  const before = pid === undefined ? Number.NaN : memoryOf(pid).now
  const { bytes, elapsedMs } = await run.reads.run({ url, form, bytes: giga })
  if (bytes < giga) throw new Error(`${url}: ${bytes} bytes came`)
  const grownMb = (pid === undefined ? Number.NaN : memoryOf(pid).peak) - before
  return { mbPerSecond: (bytes / 1e6 / elapsedMs) * 1000, grownMb }
}

/** 1,000 event streams on which nothing comes. */
export async function measureIdle(run: Run): Promise<object> {
  const count = 1_000
  console.log(`\n${whole(count)} idle event streams, resident memory in MB`)
  const rows: { name: Name; withoutMb: number; withMb: number }[] = []
  for (const name of run.names.filter(isInPath)) {
    const { url, pid = 0, stop } = await startContestant(name, run.streaming)
    await run.reads.run({ url, form: 'json', bytes: mega })
    const withoutMb = memoryOf(pid).now
    await run.reads.run({ url, idleStreams: count })
    rows.push({ name, withoutMb, withMb: memoryOf(pid).now })
    // A gateway that is told to end would wait for them.
    await run.reads.run({ url, idleStreams: 0 })
    await sleep(1_000)
    await stop()
  }
  const bare = rows.find(({ name }) => name === 'bare')?.withMb ?? Number.NaN
  printTable(
    ['', 'without', 'with', 'of bare'],
    rows.map(({ name, withoutMb, withMb }) => [name, fixed(withoutMb, 0), fixed(withMb, 0), share(withMb / bare)]),
  )
  for (const { name, withMb } of rows.filter((row) => isGateway(row.name)))
    report(`${name} of the bare proxy's memory`, withMb / bare, { atMost: 1.5, unit: '×' })
  return { rows }
}

/** Many large results at a time, each read slowly: what is held for them must not grow with them. */
export async function measureReaders(run: Run): Promise<object> {
  const [readers, each] = run.isFull ? [200, 100 * mega] : [40, 20 * mega]
  const bytesPerSecond = each / 8
  console.log(`\n${readers} results of ${each / mega} MB at a time, read in 8 s or more each, resident memory in MB`)
  const rows: { name: Name; beforeMb: number; peakMb: number; elapsedMs: number }[] = []
  for (const name of run.names.filter(isInPath)) {
    const { url, pid = 0, stop } = await startContestant(name, run.streaming)
    await run.reads.run({ url, form: 'json', bytes: mega })
    resetPeak(pid)
    const beforeMb = memoryOf(pid).now
    const { elapsedMs } = await run.reads.run({ url, readers, bytes: each, bytesPerSecond })
    rows.push({ name, beforeMb, peakMb: memoryOf(pid).peak, elapsedMs })
    await stop()
  }
  printTable(
    ['', 'before', 'peak', 'grown per result', 'seconds'],
    rows.map(({ name, beforeMb, peakMb, elapsedMs }) => [
      name,
      fixed(beforeMb, 0),
      fixed(peakMb, 0),
      fixed((peakMb - beforeMb) / readers),
      fixed(elapsedMs / 1000, 1),
    ]),
  )
  return { readers, bytesEach: each, rows }
}

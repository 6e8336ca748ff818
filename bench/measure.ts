import { existsSync, readFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'

/** Value below which the share p of the sample lies (nearest rank). */
export function percentile(sample: number[], p: number): number {
  const sorted = [...sample].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN
}

export const ms = (value: number) => `${value.toFixed(2)} ms`

export const perSecond = (count: number, elapsedMs: number) =>
  `${Math.round((count / elapsedMs) * 1000).toLocaleString('en')}/s`

/** One line that says on what this ran, and how busy it was with other things: ratios hold then too, latencies do not. */
export const machine = () =>
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${process.platform}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)} before`

/**
 * Milliseconds that a sync of a small overwrite takes in this folder, plus the injected delay: what one group commit
 * waits for at the least. One sync right after the other is faster than syncs with a pause between them.
 */
export async function measureSync(folder: string, injectedMs: number, rounds = 100, pauseMs = 0): Promise<number[]> {
  const path = join(folder, 'sync-probe')
  const file = await open(path, 'w')
  const block = Buffer.alloc(4096, 1)
  await file.write(Buffer.alloc(1 << 20), 0, 1 << 20, 0)
  await file.sync()
  const sample: number[] = []
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    await file.write(block, 0, block.length, (i % 200) * 4096)
    await file.datasync()
    if (injectedMs > 0) await new Promise((resolve) => setTimeout(resolve, injectedMs))
    sample.push(performance.now() - start)
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await file.close()
  await rm(path)
  return sample
}

/** CPU time of a process so far, in µs; Linux alone tells it to others. Fields 14 and 15 of proc(5) stat: user and system time in ticks of 10 ms, all threads. */
export function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Prints a figure against what it was to be, as a ratio. Returns whether it was reached. */
export function report(
  name: string,
  measured: number,
  target: { atMost?: number; atLeast?: number; unit: string },
): boolean {
  const bound = target.atMost ?? target.atLeast ?? Number.NaN
  const reached = target.atMost !== undefined ? measured <= bound : measured >= bound
  const sign = target.atMost !== undefined ? '≤' : '≥'
  const shown = (value: number) => (value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2))
  console.log(
    `  ${reached ? 'reached' : 'MISSED '}  ${name}: ${shown(measured)} ${target.unit} (${sign} ${shown(bound)} ${target.unit})`,
  )
  return reached
}

/** Ends the collector that commands started for this home, and waits until it is gone. */
export async function stopCollector(home: string): Promise<void> {
  const file = join(home, 'run/collector.json')
  if (!existsSync(file)) return
  const { pid } = parseProcess(readFileSync(file, 'utf8'))
  process.kill(pid, 'SIGTERM')
  while (existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 50))
}

const parseProcess = (text: string) => JSON.parse(text) as { pid: number }

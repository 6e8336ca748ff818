import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, perSecond, report } from './measure.ts'

/**
 * The way from spool to verdict, in the processes that users run: records into the spool, the spool into log and index,
 * the home verified without and with bodies. AFFIDAVIT_BENCH_RECORDS sets the size (default 200,000).
 */

const records = Number(process.env.AFFIDAVIT_BENCH_RECORDS ?? 200_000)
const affidavit = join(import.meta.dirname, '../packages/affidavit/dist/cli/main.js')
const folder = mkdtempSync(join(process.env.AFFIDAVIT_BENCH_DIR ?? tmpdir(), 'affidavit-bench-'))
const home = join(folder, 'home')

const weigh = (dir: string, skip = 'nothing') =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(skip))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

function timed(args: string[]): { elapsedMs: number; stdout: string } {
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`${args.join(' ')}: exit ${status}\n${stderr}${stdout}`)
  return { elapsedMs: performance.now() - start, stdout }
}

function parseFilled(text: string): { records: number; elapsedMs: number } {
  return JSON.parse(text) as { records: number; elapsedMs: number }
}
const parseMeasured = (text: string) => JSON.parse(text) as { entries: number; elapsedMs: number }

console.log(
  `Spool, log, index, verification\n  ${machine()}\n  ${records.toLocaleString('en')} records of calls; home in ${folder}`,
)
const empty = timed([affidavit, 'version']).elapsedMs

const filled = parseFilled(timed([join(import.meta.dirname, 'fill-spool.ts'), home, String(records / 2)]).stdout)
console.log(
  `  spool: ${perSecond(filled.records, filled.elapsedMs)} durable, signed, 128 calls in flight in one process`,
)

const spooledBytes = weigh(join(home, 'spool'))
const collected = timed([affidavit, 'collector', '--home', home, '--idle-exit-ms', '0']).elapsedMs - empty
console.log(
  `  collector: ${Math.round(collected)} ms for ${Math.round(spooledBytes / 1e6)} MB of spool, admission and bodies included`,
)
report('append with tree and index', (records / collected) * 1000, { atLeast: 20_000, unit: 'records/s' })

const whole = timed([affidavit, 'verify', '--home', home]).elapsedMs - empty
report('verification with bodies, spool, store and index', (records / whole) * 1000, {
  atLeast: 50_000,
  unit: 'entries/s',
})
const { entries, elapsedMs } = parseMeasured(timed([join(import.meta.dirname, 'verify-log.ts'), home]).stdout)
report('verification of the log alone', (entries / elapsedMs) * 1000, { atLeast: 100_000, unit: 'entries/s' })

const bundles = weigh(join(home, 'log', 'tile', 'entries'))
const overhead = (weigh(join(home, 'log')) - bundles) / entries + 2
report('log overhead (hashes and length prefixes)', overhead, { atMost: 40, unit: 'bytes/entry' })
console.log(
  `  disk: entries ${Math.round(bundles / entries)} bytes each; whole home ${Math.round((weigh(home) / records) * 2)} bytes per call`,
)
rmSync(folder, { recursive: true, force: true })

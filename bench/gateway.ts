import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { meanings, type Name, names, startContestant } from './gateway/contestants.ts'
import type { CallJob, CallResult, ReadJob, ReadResult } from './gateway/jobs.ts'
import { measureLatency } from './gateway/latency.ts'
import { freePort, listen, program, startGenerator } from './gateway/processes.ts'
import type { Run } from './gateway/run.ts'
import { measureSaturation } from './gateway/saturation.ts'
import { measureIdle, measureReaders, measureStream } from './gateway/streams.ts'
import { machine } from './measure.ts'

/**
 * `affidavit gateway` against the direct way, a bare proxy and other proxies from npm. Client, proxy and server share the
 * cores, so ratios within one run are what counts.
 *
 *   npm run bench:gateway -- [latency] [saturation] [stream] [idle] [readers] [--only a,b] [--full] [--json FILE]
 */

const measures = {
  latency: measureLatency,
  saturation: measureSaturation,
  stream: measureStream,
  idle: measureIdle,
  readers: measureReaders,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, json: { type: 'string' }, full: { type: 'boolean' } },
})
const wanted = Object.entries(measures).filter(([name]) => positionals.length === 0 || positionals.includes(name))
const unknown = positionals.filter((name) => !Object.hasOwn(measures, name))
if (unknown.length > 0)
  throw new Error(`no measure ${unknown.join(', ')}; there are ${Object.keys(measures).join(', ')}`)
const only = values.only?.split(',')

const folder = mkdtempSync(join(process.env.AFFIDAVIT_BENCH_DIR ?? tmpdir(), 'affidavit-bench-'))

async function startServer(name: string) {
  const port = await freePort()
  const { stop, pid } = await listen([program(name), String(port)], port)
  return { stop, pid, setting: { folder, upstream: `http://127.0.0.1:${port}/mcp` } }
}

const parseCalls = (line: string) => JSON.parse(line) as CallResult
const parseReads = (line: string) => JSON.parse(line) as ReadResult

const [echo, streaming] = await Promise.all([startServer('echo-server'), startServer('stream-server')])
const run: Run = {
  names: names.filter((name) => only === undefined || only.includes(name)),
  setting: echo.setting,
  streaming: streaming.setting,
  serverPid: echo.pid,
  calls: startGenerator<CallJob, CallResult>('load', parseCalls),
  reads: startGenerator<ReadJob, ReadResult>('reader', parseReads),
  start: (chosen: readonly Name[]) => Promise.all(chosen.map((name) => startContestant(name, echo.setting))),
  isFull: values.full === true,
}

console.log(
  `affidavit gateway\n  ${machine()}\n  homes in ${folder}; server: echo on the official SDKs, 1.x with sessions, 2.x stateless`,
)
for (const name of run.names) console.log(`  ${name.padEnd(13)} ${meanings[name]}`)
const found: Record<string, object> = { machine: { description: machine() } }
for (const [name, measure] of wanted) found[name] = await measure(run)
await Promise.all([run.calls.stop(), run.reads.stop(), echo.stop(), streaming.stop()])
rmSync(folder, { recursive: true, force: true })
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(found, undefined, 2)}\n`)

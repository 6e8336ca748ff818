import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseVerifierKey } from '@affidavit/evidence/log/key'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { hashHeader } from '@affidavit/evidence/record/hash'
import type { Header } from '@affidavit/evidence/record/header'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { createProblemSink, type Problem } from '@affidavit/evidence/verify/problem'
import { verifyLog } from '@affidavit/evidence/verify/verify-log'
import { sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import { type Home, openHome } from '@affidavit/sensor/durable/home'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { createDirectoryTiles } from '../../packages/affidavit/src/store/directory/tiles.ts'
import { iterateEntries } from '../../packages/affidavit/src/store/entries.ts'
import { makeRandom } from './recorded-disk.ts'

/** Kills sensor, collector or both, again and again under load, then lets a last collector finish and reads the log. */

const source = '--conditions=@affidavit/source'
const binary = join(import.meta.dirname, '../../packages/affidavit/bin/affidavit.js')
const load = join(import.meta.dirname, 'kill-load.ts')

export interface KillOptions {
  kills: number
  /** Printed by the caller: the same seed gives the same order and delays. */
  seed: number
}

interface KillResult {
  kills: Record<Victim, number>
  /** `<stream> <seq> <hash>` of every record that a sensor was told is durable. */
  acknowledged: Set<string>
  /** The same, of every entry in the log, doubles included. */
  sequenced: string[]
  headers: Header[]
  problems: readonly Problem[]
  /** Files that are left in the spool folder. */
  segmentsLeft: string[]
  lastExitCode: number | null
}

export const victims = ['sensor', 'collector', 'both'] as const
export type Victim = (typeof victims)[number]

export async function killUnderLoad({ kills, seed }: KillOptions): Promise<KillResult> {
  const directory = await mkdtemp(join(tmpdir(), 'affidavit-kill-'))
  const home = await openHome(join(directory, 'home'))
  const acknowledged = new Set<string>()
  const counts = { sensor: 0, collector: 0, both: 0 }
  try {
    await killAll(home, { kills, random: makeRandom(seed), acknowledged, counts })
    const last = spawnCollector(home, 200)
    const lastExitCode = await exitOf(last)
    const segmentsLeft = (await readdir(home.paths.spool)).filter((name) => name.endsWith('.seg'))
    return { kills: counts, acknowledged, segmentsLeft, lastExitCode, ...(await readLog(home)) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface Killing {
  kills: number
  random(): number
  acknowledged: Set<string>
  counts: Record<Victim, number>
}

async function killAll(home: Home, { kills, random, acknowledged, counts }: Killing): Promise<void> {
  let sensor = spawnSensor(home, acknowledged)
  let collector = spawnCollector(home, 600_000)
  for (let i = 0; i < kills; i++) {
    // Half of the kills meet processes that are starting, half meet a sensor that has receipts, however slow the machine.
    if (random() < 0.5) await sensor.working
    await sleep(30 + random() * 600)
    const victim = victims[Math.floor(random() * victims.length)] ?? 'both'
    counts[victim] += 1
    if (victim !== 'collector') sensor.child.kill('SIGKILL')
    if (victim !== 'sensor') collector.kill('SIGKILL')
    if (victim !== 'collector') {
      await sensor.ended
      sensor = spawnSensor(home, acknowledged)
    }
    if (victim !== 'sensor') {
      await exitOf(collector)
      collector = spawnCollector(home, 600_000)
    }
  }
  sensor.child.kill('SIGKILL')
  collector.kill('SIGKILL')
  await Promise.all([sensor.ended, exitOf(collector)])
}

function spawnCollector(home: Home, idleExitMs: number): ChildProcess {
  const args = ['collector', '--home', home.dir, '--no-index', '--idle-exit-ms', String(idleExitMs)]
  return spawn(process.execPath, [binary, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

function spawnSensor(home: Home, acknowledged: Set<string>) {
  const child = spawn(process.execPath, [source, load, home.dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = readReceipts(child, acknowledged)
  const working = Promise.race([ended, new Promise((resolve) => child.stdout?.once('data', resolve))])
  return { child, ended, working }
}

/** Resolves when the process is gone and all it had printed is read. A last line without its end was cut by the kill. */
async function readReceipts(child: ChildProcess, acknowledged: Set<string>): Promise<void> {
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = `${rest}${chunk.toString('latin1')}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) acknowledged.add(line)
  })
  await new Promise((resolve) => child.once('close', resolve))
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', resolve))
}

async function readLog(home: Home) {
  const tiles = createDirectoryTiles(systemLayer, home.paths.log)
  const problems = createProblemSink()
  const key = parseVerifierKey(sha256, (await readFile(home.paths.logVerifierKey, 'utf8')).trim())
  const findings = await verifyLog({
    readFile: (path) => systemLayer.readFile(join(home.paths.log, path)),
    listFiles: () => listBelow(home.paths.log),
    policy: { origin: home.identity.origin, logKeys: [key], witnesses: [], witnessesRequired: 1 },
    crypto: { sha256, verifyEd25519 },
    problems,
  })
  const size = findings.checkpoint?.size ?? 0
  const sequenced: string[] = []
  const headers: Header[] = []
  for await (const { entry } of iterateEntries(tiles, { from: 0, to: size }, size)) {
    const line = splitEntry(entry).header
    const header = parseHeader(line)
    headers.push(header)
    sequenced.push(`${header.streamId} ${header.seq} ${Buffer.from(hashHeader(sha256, line)).toString('base64')}`)
  }
  return { problems: problems.found().list, sequenced, headers }
}

async function* listBelow(directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) yield join(entry.parentPath, entry.name).slice(directory.length + 1)
}

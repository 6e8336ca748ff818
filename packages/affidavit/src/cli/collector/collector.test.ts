import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Home, openHome } from '@affidavit/sensor/durable/home'
import { openStream } from '@affidavit/sensor/spool/stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readPublished } from '../../query/log-reader.ts'
import { openSequenceReader } from '../../store/sqlite/read.ts'
import { openTiles } from '../open-home.ts'
import { openDiagnostics } from './diagnostics.ts'
import { acquireLock } from './lock.ts'

const binary = join(import.meta.dirname, '../../../bin/affidavit.js')
let home: Home
const children: ChildProcess[] = []
beforeEach(async () => {
  home = await openHome(await mkdtemp(join(tmpdir(), 'affidavit-collector-')))
})
afterEach(async () => {
  for (const child of children.splice(0)) if (child.kill('SIGKILL')) await exitOf(child)
  await rm(home.dir, { recursive: true, force: true })
})

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [binary, 'collector', '--home', home.dir, ...args], { stdio: 'pipe' })
  children.push(child)
  return child
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', resolve))
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadlineMs = Date.now() + 30_000; Date.now() < deadlineMs; await sleep(20)) if (await what()) return
  throw new Error('it did not come to be within thirty seconds')
}

const isRunning = () => existsSync(home.paths.collectorProcess)
const sizeOf = async () => (await readPublished(openTiles(home)))?.size ?? 0

describe('collector process', () => {
  test('ends when idle with everything published, and leaves neither process file nor segments [S-16]', async () => {
    const stream = await openStream({ home, software: 'test/1' })
    for (let i = 0; i < 10; i++) await stream.append({ kind: 'heartbeat' }, {})
    await stream.close('exit')
    const child = start('--idle-exit-ms', '200', '--no-index')
    expect(await exitOf(child)).toBe(0)
    // Epoch, opening, ten heartbeats, closing.
    expect(await sizeOf()).toBe(13)
    expect((await readdir(home.paths.spool)).filter((name) => name.endsWith('.seg'))).toEqual([])
    expect(isRunning()).toBe(false)
  })

  test('keeps the index and waits for it before it ends [S-16]', async () => {
    const stream = await openStream({ home, software: 'test/1' })
    await stream.close('exit')
    expect(await exitOf(start('--idle-exit-ms', '100'))).toBe(0)
    expect(existsSync(home.paths.indexDatabase)).toBe(true)
  })

  test('stays while a sensor lives; a checkpoint follows its records [S-16]', async () => {
    const stream = await openStream({ home, software: 'test/1' })
    const child = start('--idle-exit-ms', '100', '--no-index')
    await until(async () => (await sizeOf()) === 2)
    await sleep(500)
    expect(child.exitCode).toBe(null)
    await stream.append({ kind: 'heartbeat' }, {})
    await until(async () => (await sizeOf()) === 3)
    await stream.close('exit')
    expect(await exitOf(child)).toBe(0)
    expect(await sizeOf()).toBe(4)
  })

  test('SIGTERM ends it in order, with what it read published [S-16]', async () => {
    const stream = await openStream({ home, software: 'test/1' })
    const child = start('--no-index')
    await until(async () => (await sizeOf()) === 2)
    child.kill('SIGTERM')
    expect(await exitOf(child)).toBe(0)
    expect(isRunning()).toBe(false)
    await stream.close('exit')
  })

  test('a second one ends at once; after SIGKILL the next one takes over [S-15]', async () => {
    const stream = await openStream({ home, software: 'test/1' })
    const first = start('--no-index')
    await until(isRunning)
    await until(async () => (await sizeOf()) === 2)
    expect(await exitOf(start('--no-index'))).toBe(0)
    expect(first.exitCode).toBe(null)
    first.kill('SIGKILL')
    await exitOf(first)
    const next = start('--no-index', '--idle-exit-ms', '100')
    await stream.append({ kind: 'heartbeat' }, {})
    await until(async () => (await sizeOf()) === 3)
    await stream.close('exit')
    expect(await exitOf(next)).toBe(0)
  })

  test('a refused stream is said in the log, in the store and in the diagnostics, and keeps its segment [S-25]', async () => {
    const foreign = await openHome(await mkdtemp(join(tmpdir(), 'affidavit-foreign-')))
    const { copyFile } = await import('node:fs/promises')
    const stream = await openStream({ home: foreign, software: 'test/1' })
    await stream.close('exit')
    const [segment = ''] = (await readdir(foreign.paths.spool)).filter((name) => name.endsWith('.seg'))
    await copyFile(join(foreign.paths.spool, segment), join(home.paths.spool, segment))
    await rm(foreign.dir, { recursive: true })
    expect(await exitOf(start('--idle-exit-ms', '100', '--no-index'))).toBe(0)
    const reader = openSequenceReader(home.paths.storeDatabase)
    expect(await reader.readStream(stream.streamId)).toMatchObject({
      standing: 'refused',
      refusal: { code: 'secret_unreadable' },
    })
    reader.close()
    expect(readFileSync(home.paths.collectorDiagnostics, 'utf8')).toContain(`stream_refused ${stream.streamId}`)
    expect(await readdir(home.paths.spool)).toContain(segment)
    // Epoch; the collector's own opening, violation and closing.
    expect(await sizeOf()).toBe(4)
  })
})

describe('lock', () => {
  test('is held by one and free again when released [S-15]', async () => {
    const path = join(home.dir, 'run', 'test.lock.db')
    const lock = acquireLock(path)
    expect(lock).toBeDefined()
    const script = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(process.argv[1], { timeout: 0 }); try { db.exec('BEGIN EXCLUSIVE') } catch { process.exit(7) }`
    const tryLock = () => exitOf(spawn(process.execPath, ['-e', script, path], { stdio: 'ignore' }))
    expect(await tryLock()).toBe(7)
    lock?.release()
    expect(await tryLock()).toBe(0)
  })
})

describe('diagnostics', () => {
  test('keep at most two files of one MiB, and one line per message [S-17]', () => {
    const path = join(home.dir, 'diagnostics', 'test.log')
    const diagnostics = openDiagnostics(path)
    for (let i = 0; i < 3000; i++) diagnostics.write('code', `line ${i}\nbroken ${'x'.repeat(1000)}`)
    expect(statSync(path).size).toBeLessThanOrEqual(1024 * 1024)
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1024 * 1024)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    expect(lines.at(-1)).toMatch(/^\S+Z code line 2999 broken x+$/)
  })
})

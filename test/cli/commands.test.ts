import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseVerifierKey } from '@affidavit/evidence/log/key'
import { fieldNames } from '@affidavit/evidence/record/fields'
import { verifyEntry } from '@affidavit/evidence/verify/verify-entry'
import { sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import { openHome } from '@affidavit/sensor/durable/home'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSource } from '../../packages/affidavit/src/cli/index-source.ts'
import { dumpIndex } from '../../packages/affidavit/src/query/sqlite/dump.ts'
import { followIndex } from '../../packages/affidavit/src/query/sqlite/follow.ts'
import { openForReading } from '../../packages/affidavit/src/query/sqlite/open.ts'
import { readSize } from '../../packages/affidavit/src/query/sqlite/write.ts'
import { binary, collect, runCommand, runSession, spoolStream, stopCollector } from '../tamper/build-home.ts'
import { copyHome, edit, verifyCopy } from '../tamper/insider.ts'

let directory: string
let home: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'affidavit-cli-'))
  home = join(directory, 'home')
  await runSession(home, join(directory, 'files'), 8)
  stopCollector(home)
  collect(home)
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const at = (...argv: string[]) => runCommand([...argv, '--home', home])

interface CallLine {
  id: string
  fields: Record<string, { present: boolean; valid: boolean }>
  leaves: { requested: number; completed: number }
}
const isCallLine = (value: unknown): value is CallLine =>
  typeof value === 'object' && value !== null && 'id' in value && 'fields' in value && 'leaves' in value
const readLines = (stdout: string): CallLine[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
    .filter(isCallLine)

describe('query', () => {
  it('prints one call per line with all twelve fields and an id [Q-15]', () => {
    const { stdout } = at('query', '--json')
    const lines = readLines(stdout)
    expect(lines).toHaveLength(stdout.split('\n').length - 1)
    expect(lines).toHaveLength(26)
    for (const { id, fields } of lines) {
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      expect(Object.keys(fields)).toEqual([...fieldNames])
    }
    expect(at('query', '--json', '--outcome', 'failure').stdout.split('\n')).toHaveLength(9)
    expect(at('query', '--csv', '--limit', '3').stdout.split('\r\n')).toHaveLength(5)
  })
  it('says how much a table leaves out, and is plain where nobody watches [Q-5]', () => {
    const { stdout, stderr } = at('query', '--limit', '3')
    expect(stdout.split('\n')).toHaveLength(5)
    expect(stderr).toBe('the newest 3 of 26 calls: --limit shows more\n')
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toMatch(/demo-agent \(claimed\) for .* \(attested\)/)
  })
  it('ends quietly when its reader does [Q-16]', () => {
    const { stdout, stderr } = spawnSync(
      '/bin/sh',
      ['-c', `"${process.execPath}" "${binary}" query --json --home "${home}" | head -n 1`],
      { encoding: 'utf8' },
    )
    expect(stdout.split('\n')).toHaveLength(2)
    expect(stderr).toBe('')
  })
})

describe('ids', () => {
  it('may be shortened at either end, until they are ambiguous [Q-6]', () => {
    const [call, other] = readLines(at('query', '--json', '--tool', 'write_file').stdout)
    if (call === undefined || other === undefined) throw new Error('the session made no calls')
    for (const id of [
      call.id,
      call.id.slice(-8),
      call.id.slice(0, 18),
      `leaf:${call.leaves.requested}`,
      `leaf:${call.leaves.completed}`,
    ]) {
      const { code, stdout } = at('show', id)
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(call.id) })
      expect(stdout.match(/verified: /g)).toHaveLength(2)
    }
    const ambiguous = at('show', call.id.slice(0, 6))
    expect(ambiguous).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^affidavit: .*fits several calls.*\[AFD_AMBIGUOUS_ID\]\n$/),
    })
    expect(at('show', 'ffffffff')).toMatchObject({ code: 2, stderr: expect.stringContaining('[AFD_NOT_FOUND]') })
    expect(at('show', 'leaf:999999')).toMatchObject({ code: 2, stderr: expect.stringContaining('[AFD_NOT_FOUND]') })
    expect(at('show', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('[AFD_USAGE]') })
  })
})

describe('errors', () => {
  it('are one line with a code, and a wrong folder is not made into a home [Q-13]', () => {
    const nowhere = join(directory, 'nowhere')
    for (const argv of [
      ['query'],
      ['show', 'abcd'],
      ['tail'],
      ['verify'],
      ['proof', 'abcd'],
      ['status'],
      ['index', 'rebuild'],
    ]) {
      const { code, stdout, stderr } = runCommand([...argv, '--home', nowhere])
      expect({ argv, code, stdout }).toEqual({ argv, code: 2, stdout: '' })
      expect(stderr).toMatch(/^affidavit: [^\n]+ \[AFD_NO_HOME\]\n$/)
    }
    expect(existsSync(nowhere)).toBe(false)
    for (const argv of [
      ['query', '--since', 'soon'],
      ['query', '--outcome', 'fine'],
      ['query', '--limit', '0'],
      ['query', '--json', '--csv'],
      ['index', 'shrink'],
      ['nothing'],
    ]) {
      expect({ argv, ...at(...argv) }).toMatchObject({
        argv,
        code: 2,
        stderr: expect.stringMatching(/^affidavit: [^\n]+ \[AFD_USAGE\]\n$/),
      })
    }
  })
  it('of a mistyped command name the one that is near, and otherwise the help alone [Q-25]', () => {
    const said = (name: string) => ({ name, ...runCommand([name]) })
    for (const [name, meant] of [
      ['verfy', 'verify'],
      ['gatway', 'gateway'],
      ['--hlep', '--help'],
    ] as const)
      expect(said(name)).toEqual({
        name,
        code: 2,
        stdout: '',
        stderr: `affidavit: there is no command '${name}'. Did you mean '${meant}'? Try 'affidavit --help'. [AFD_USAGE]\n`,
      })
    // The second is a hidden command nearly, the third a name that every object has.
    for (const name of ['audit', 'folow', 'constructor'])
      expect(said(name)).toEqual({
        name,
        code: 2,
        stdout: '',
        stderr: `affidavit: there is no command '${name}'. Try 'affidavit --help'. [AFD_USAGE]\n`,
      })
  })
})

describe('proofs', () => {
  it('convince somebody who has only the key, the entry and the file [Q-17]', async () => {
    const [call] = readLines(at('query', '--json', '--tool', 'write_file').stdout)
    const [file, entry] = [join(directory, 'p.tlog-proof'), join(directory, 'p.entry')]
    expect(at('proof', call?.id ?? '', '-o', file, '--entry', entry).code).toBe(0)
    const identity = (await openHome(home)).identity
    const logKeys = [parseVerifierKey(sha256, readFileSync(join(home, 'keys/log.pub'), 'utf8').trim())]
    const policy = { origin: identity.origin, logKeys, witnesses: [], witnessesRequired: 1 }
    const evidence = { entry: readFileSync(entry), proofFile: readFileSync(file), sections: [] }
    const verified = await verifyEntry({ sha256, verifyEd25519 }, policy, evidence)
    expect(verified).toMatchObject({ index: BigInt(call?.leaves.completed ?? -1), header: { stage: 'completed' } })
    const printed = at('proof', call?.id ?? '', '--stage', 'requested').stdout
    expect(printed).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex \d+\n/)
  })
  it('that fail, and bodies that do not fit, end show with 1 [Q-18]', () => {
    const copy = copyHome(home, join(directory, 'copy'))
    const [call] = readLines(at('query', '--json', '--tool', 'write_file').stdout)
    edit(copy, 'store/collector.db', `UPDATE bodies SET body = zeroblob(64) WHERE leaf = ${call?.leaves.requested}`)
    const corrupt = runCommand(['show', call?.id ?? '', '--home', copy])
    expect(corrupt).toMatchObject({ code: 1, stdout: expect.stringContaining('ALTERED') })
    const traced = runCommand(['trace', call?.id ?? '', '--home', copy])
    expect(traced).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('BREAK       the body of a record is ALTERED'),
    })
    const other = copyHome(home, join(directory, 'copy'))
    writeFileSync(
      join(other, 'keys/log.pub'),
      readFileSync(join(home, 'keys/log.pub'), 'utf8').replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
    )
    expect(runCommand(['show', call?.id ?? '', '--home', other])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[AFD_BAD_KEY]'),
    })
  })
})

describe('the index', () => {
  it('is rebuilt to the same content, by command and by itself when it was deleted [Q-19]', async () => {
    const copy = copyHome(home, join(directory, 'copy'))
    const { identity, paths } = await openHome(copy)
    const dump = () => {
      const db = openForReading(paths.indexDatabase, identity.origin)
      const lines = [...dumpIndex(db)]
      db.close()
      return lines
    }
    runCommand(['query', '--home', copy])
    const before = dump()
    expect(before.length).toBeGreaterThan(30)
    expect(runCommand(['index', 'rebuild', '--home', copy])).toMatchObject({ code: 0 })
    expect(dump()).toEqual(before)
    rmSync(paths.index, { recursive: true })
    expect(runCommand(['query', '--home', copy, '--json']).stdout).toBe(at('query', '--json').stdout)
    expect(dump()).toEqual(before)
  })
  it('is followed while it is deleted underneath [Q-20]', async () => {
    const copy = await openHome(copyHome(home, join(directory, 'copy')))
    const source = await openSource(copy)
    const stop = new AbortController()
    const following = followIndex(source, copy.paths.indexDatabase, stop.signal)
    for (let round = 0; round < 3; round++) {
      await waitFor(() => sizeOf(copy.paths.indexDatabase, copy.identity.origin) > 50)
      rmSync(copy.paths.index, { recursive: true })
    }
    await waitFor(() => sizeOf(copy.paths.indexDatabase, copy.identity.origin) > 50)
    stop.abort()
    await following
    source.close()
    expect((await verifyCopy(copy.dir)).verdict.integrity.level).toBe('SIGNED')
  })
  it('that knows more than the log is refused instead of believed [Q-20]', () => {
    const copy = copyHome(home, join(directory, 'copy'))
    edit(copy, 'index/index.db', 'UPDATE cursor SET size = 100000')
    expect(runCommand(['query', '--home', copy])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[AFD_INDEX_AHEAD]'),
    })
    expect(runCommand(['status', '--home', copy]).code).toBe(1)
  })
})

describe('waiting', () => {
  it('query and verify start the collector where records wait in the spool, and see them [Q-21]', async () => {
    const copy = copyHome(home, join(directory, 'waiting'))
    await (await spoolStream(await openHome(copy), 5)).close('exit')
    const { stdout, stderr, code } = runCommand(['verify', '--home', copy])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toContain('in the spool and not in the log')
    expect(runCommand(['tail', '-n', '1', '--home', copy]).stdout).toContain('closed')
    stopCollector(copy)
  })
  it('gives up after five seconds, says so, and goes on with what is there [Q-21]', async () => {
    const copy = copyHome(home, join(directory, 'stuck'))
    const stream = await spoolStream(await openHome(copy), 5)
    const lock = new DatabaseSync(join(copy, 'run/collector.lock.db'))
    lock.exec('BEGIN EXCLUSIVE')
    const startedMs = Date.now()
    const { stdout, stderr, code } = runCommand(['query', '--home', copy, '--limit', '1'])
    expect(Date.now() - startedMs).toBeLessThan(9_000)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('[AFD_NOT_SEQUENCED]') })
    expect(stdout.split('\n')).toHaveLength(3)
    lock.close()
    await stream.close('exit')
  }, 30_000)
})

describe('tail -f', () => {
  it('shows records as they come in and ends on SIGINT [Q-22]', async () => {
    const copy = copyHome(home, join(directory, 'tailed'))
    const child = spawn(process.execPath, [binary, 'tail', '-f', '-n', '1', '--json', '--home', copy])
    let seen = ''
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
    })
    await waitFor(() => seen.includes('\n'))
    seen = ''
    await runSession(copy, join(directory, 'files'), 1)
    await waitFor(() => seen.includes('"kind":"stream"') && seen.includes('"event":"closed"'))
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(0)
    const ids = seen
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => /"id":"(leaf:\d+)"/.exec(line)?.[1])
    expect(ids.length).toBeGreaterThan(10)
    expect(new Set(ids).size).toBe(ids.length)
    stopCollector(copy)
  }, 90_000)
})

function sizeOf(file: string, origin: string): number {
  if (!existsSync(file)) return 0
  const db = openForReading(file, origin)
  try {
    return readSize(db)
  } finally {
    db.close()
  }
}

async function waitFor(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error('it did not happen within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHome } from '@affidavit/sensor/durable/home'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binary, collect, runCommand, spoolStream, stopCollector } from '../tamper/build-home.ts'
import { codesOf, copyHome, verifyCopy } from '../tamper/insider.ts'

let directory: string
let home: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'affidavit-verify-'))
  home = join(directory, 'home')
  await (await spoolStream(await openHome(home), 5)).close('exit')
  collect(home)
}, 60_000)
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

describe('a home that is only beginning', () => {
  it('of a collector alone is SIGNED: a key that nothing needed yet is a note [V-19]', () => {
    const dir = join(directory, 'collector-only')
    collect(dir)
    const { code, stdout } = runCommand(['verify', '--home', dir])
    expect(code).toBe(0)
    expect(stdout).toContain('nothing recorded here needed it yet: keys/correlation.key')
  })
  it('of a sensor alone has nothing that is signed by a log, and that is no contradiction [V-19]', async () => {
    const dir = join(directory, 'sensor-only')
    const stream = await spoolStream(await openHome(dir), 5)
    const judged = await verifyCopy(dir)
    expect([codesOf(judged), judged.checked.waiting]).toEqual([['not_published'], 6])
    await stream.close('exit')
  })
  it('is never INVALID while its first call is recorded [V-19]', async () => {
    const dir = join(directory, 'first')
    const argv = [binary, 'run', '--home', dir, '--', process.execPath, '-e', 'process.stdin.resume()']
    const run = spawn(process.execPath, argv, { stdio: ['pipe', 'ignore', 'ignore'] })
    run.stdin.write('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}}\n')
    const codes: (number | null)[] = []
    for (let i = 0; i < 4; i++) codes.push(runCommand(['verify', '--home', dir]).code)
    run.stdin.end()
    await new Promise((resolve) => run.once('exit', resolve))
    stopCollector(dir)
    expect(codes).not.toContain(1)
    expect(codes.at(-1)).toBe(0)
  }, 60_000)
  it('that lost its log, store and signer is not taken for one [V-19]', async () => {
    const copy = copyHome(home, join(directory, 'lost'))
    for (const folder of ['log', 'store', 'signer', 'index'])
      rmSync(join(copy, folder), { recursive: true, force: true })
    const judged = await verifyCopy(copy)
    expect(judged.verdict.integrity.level).toBe('INVALID')
    expect(codesOf(judged)).toEqual(expect.arrayContaining(['checkpoint_missing', 'store_disagrees']))
  })
})

describe('what a verifier brings', () => {
  it('is refused where it is no key or cannot be read, and never replaced by the home’s own [V-20]', () => {
    const empty = join(directory, 'empty')
    writeFileSync(empty, '\n')
    for (const command of [['verify'], ['show', 'leaf:0'], ['proof', 'leaf:0']]) {
      const refused = runCommand([...command, '--home', home, '--key', empty])
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('[AFD_USAGE]') })
    }
    for (const option of ['--key', '--checkpoint']) {
      const { code, stderr } = runCommand(['verify', '--home', home, option, directory])
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/EISDIR.*\[AFD_FILE_UNREADABLE\]\n$/) })
    }
  })
  it('of another log is named as such [V-20]', () => {
    const other = join(directory, 'other')
    collect(other)
    const kept = join(other, 'log/checkpoint')
    const { code, stdout } = runCommand(['verify', '--home', home, '--checkpoint', kept])
    expect(code).toBe(2)
    expect(stdout).toMatch(/is a checkpoint of affidavit\.local\/\S+, this log is affidavit\.local\//)
  })
})

describe('a collector that failed', () => {
  it('is named with its reason by status and by whoever waits for it [V-21]', async () => {
    const copy = copyHome(home, join(directory, 'failing'))
    // The signer has signed more than there is: the collector refuses to go on from here.
    const state = readFileSync(join(copy, 'signer/state.json'), 'utf8')
    writeFileSync(join(copy, 'signer/state.json'), state.replace(/"size":\d+/, '"size":100000'))
    await (await spoolStream(await openHome(copy), 2)).close('exit')
    expect(runCommand(['collector', '--home', copy, '--idle-exit-ms', '0']).code).toBe(2)
    const status = runCommand(['status', '--home', copy])
    expect(status.code).toBe(1)
    expect(status.stdout).toMatch(/! the collector failed at \S+Z: signer_\S+: .*diagnostics\/collector\.log/)
    const { stderr } = runCommand(['query', '--home', copy])
    expect(stderr).toMatch(/The collector failed at \S+Z: signer_.*collector\.log\. .*\[AFD_NOT_SEQUENCED\]/)
    // One that ended well since has the last word.
    appendFileSync(join(copy, 'diagnostics/collector.log'), `${new Date().toISOString()} collector_ended idle\n`)
    expect(runCommand(['status', '--home', copy]).stdout).not.toContain('the collector failed')
  }, 30_000)
})

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { createLogDirectory } from './log-directory.ts'

const script = join(import.meta.dirname, '../../examples/outside/recompute-root.py')

/** -I -S: no site packages, so nothing but the standard library can be imported. */
const run = (...args: string[]) => spawnSync('python3', ['-I', '-S', script, ...args], { encoding: 'utf8' })

function requirePython(ctx: TestContext): void {
  if (spawnSync('python3', ['--version']).status === 0) return
  if (process.env.CI === 'true') throw new Error('python3 is missing')
  console.warn(`SKIPPED ${ctx.task.name}: python3 is missing`)
  ctx.skip('python3 is missing')
}

describe('Python’s standard library', () => {
  it('recomputes the root of a log directory, and only of the right one [L-20]', async (ctx) => {
    requirePython(ctx)
    for (const size of [1, 256, 257, 70_000]) {
      const log = await createLogDirectory(size)
      const root = Buffer.from(log.root).toString('base64')
      const sound = run(log.path, log.origin)
      expect([sound.stdout, sound.status]).toEqual([`OK: ${log.origin}, ${size} entries, root ${root}\n`, 0])
      expect(run(log.path, 'example.com/other')).toMatchObject({ status: 1 })
      rmSync(log.path, { recursive: true })
    }
  }, 120_000)

  it('notices a flipped bit, a changed checkpoint and a missing bundle on a copy [L-20]', async (ctx) => {
    requirePython(ctx)
    const log = await createLogDirectory(600)
    const change = (path: string, alter: (bytes: Buffer) => Buffer) => {
      const folder = mkdtempSync(join(tmpdir(), 'affidavit-copy-'))
      cpSync(log.path, folder, { recursive: true })
      const file = join(folder, path)
      writeFileSync(file, alter(readFileSync(file)))
      const { status, stdout } = run(folder)
      rmSync(folder, { recursive: true })
      return { status, word: stdout.split(':')[0] }
    }
    const flip = (at: number) => (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)))
    const mismatch = { status: 1, word: 'MISMATCH' }
    expect(change('tile/entries/001', flip(50))).toEqual(mismatch)
    expect(change('tile/entries/002.p/88', flip(3))).toEqual(mismatch)
    expect(change('checkpoint', (bytes) => Buffer.from(bytes.toString().replace('\n600\n', '\n599\n')))).toEqual(
      mismatch,
    )
    expect(change('tile/entries/000', (bytes) => bytes.subarray(0, 100))).toEqual(mismatch)
    expect(change('tile/entries/002.p/88', (bytes) => Buffer.concat([bytes, bytes]))).toEqual(mismatch)
    expect(run(join(log.path, 'nowhere')).status).toBe(2)
    expect(run().status).toBe(2)
    rmSync(log.path, { recursive: true })
  })

  it('is all it takes: at most 80 lines that import nothing else [L-20]', () => {
    const lines = readFileSync(script, 'utf8').trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(80)
    const imports = lines.flatMap((line) => /^(?:import|from) (\w+)/.exec(line)?.[1] ?? [])
    expect(imports).toEqual(['base64', 'hashlib', 'pathlib', 'sys'])
  })
})

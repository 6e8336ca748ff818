import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemLayer } from './layer.ts'
import { makeFaulty, systemError } from './testdata/faulty-layer.ts'
import { createDirectory, createOnce, isTemporary, replace, sweepTemporaries, toTemporary } from './write.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'affidavit-write-'))
const text = (value: string) => new TextEncoder().encode(value)

describe('createOnce', () => {
  it('of many that race exactly one creates, and all find its bytes [W-11]', async () => {
    const path = join(folder(), 'once')
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => createOnce(systemLayer, path, text(`${i}`))))
    expect(results.filter((result) => result === 'created')).toHaveLength(1)
    expect(readFileSync(path, 'utf8')).toBe(String(results.indexOf('created')))
    expect(readdirSync(join(path, '..'))).toEqual(['once'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
  it('makes the name durable also for the loser [W-11]', async () => {
    const path = join(folder(), 'once')
    writeFileSync(path, 'winner')
    const calls: string[] = []
    const layer = makeFaulty(systemLayer, (operation) => {
      calls.push(operation)
    })
    expect(await createOnce(layer, path, text('loser'))).toBe('exists')
    expect(calls).toEqual(['open', 'write', 'syncAll', 'link', 'unlink', 'syncDirectory'])
  })
  it('leaves nothing behind when the disk is full', async () => {
    const path = join(folder(), 'once')
    const layer = makeFaulty(systemLayer, (operation) => {
      if (operation === 'write') throw systemError('ENOSPC', 'write')
    })
    await expect(createOnce(layer, path, text('x'))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(readdirSync(join(path, '..'))).toEqual([])
  })
})

describe('replace', () => {
  it('takes the system calls its contract names, in order [W-12]', async () => {
    const path = join(folder(), 'state')
    writeFileSync(path, 'old')
    const calls: string[] = []
    const layer = makeFaulty(systemLayer, (operation) => {
      calls.push(operation)
    })
    await replace(layer, path, text('new'))
    expect(calls).toEqual(['open', 'write', 'syncAll', 'rename', 'syncDirectory'])
    expect(readFileSync(path, 'utf8')).toBe('new')
  })
  it('keeps the old content where the new cannot be synced [W-12]', async () => {
    const path = join(folder(), 'state')
    writeFileSync(path, 'old')
    const layer = makeFaulty(systemLayer, (operation) => {
      if (operation === 'syncAll') throw systemError('EIO', 'fsync')
    })
    await expect(replace(layer, path, text('new'))).rejects.toMatchObject({ code: 'EIO' })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(join(path, '..')).filter(isTemporary)).toEqual([])
  })
})

describe('sweepTemporaries', () => {
  it('removes what is stale and nothing else', async () => {
    const directory = folder()
    const old = toTemporary(join(directory, 'old'))
    for (const path of [old, toTemporary(join(directory, 'new')), join(directory, 'kept')]) writeFileSync(path, '')
    utimesSync(old, 1, 1)
    utimesSync(join(directory, 'kept'), 1, 1)
    await sweepTemporaries(systemLayer, directory, 60_000)
    expect(
      readdirSync(directory)
        .map((name) => name.slice(0, 3))
        .sort(),
    ).toEqual(['kep', 'new'])
  })
})

describe('createDirectory', () => {
  it('creates parents with mode 0700 and syncs the parent of each [W-17]', async () => {
    const top = folder()
    const synced: string[] = []
    const layer = makeFaulty(systemLayer, (operation, path) => {
      if (operation === 'syncDirectory') synced.push(path)
    })
    await createDirectory(layer, join(top, 'a', 'b'))
    expect(synced).toEqual([join(top, 'a'), top])
    expect(statSync(join(top, 'a')).mode & 0o777).toBe(0o700)
    await createDirectory(layer, join(top, 'a', 'b'))
    expect(synced).toHaveLength(2)
  })
})

it('creating a directory where the kernel refuses ends in its error, not in a loop [W-11]', async () => {
  if (!existsSync('/proc/self')) return console.warn('SKIPPED: this platform has no /proc to refuse a directory')
  await expect(createDirectory(systemLayer, '/proc/affidavit/home')).rejects.toMatchObject({ code: 'ENOENT' })
})

import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTileStore } from '../tiles.contract.ts'
import { createDirectoryTiles } from './tiles.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'affidavit-tiles-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('directory tiles', () => {
  describeTileStore(async () => {
    const directory = join(await mkdtemp(join(root, 'log-')), 'log')
    return { open: async () => createDirectoryTiles(systemLayer, directory) }
  })

  test('files are private to the user, and no temporary file stays [S-22]', async () => {
    const directory = await mkdtemp(join(root, 'log-'))
    const tiles = createDirectoryTiles(systemLayer, directory)
    await tiles.write([{ path: 'tile/0/000.p/1', bytes: new Uint8Array(32) }])
    expect((await stat(join(directory, 'tile/0/000.p/1'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(directory, 'tile/0'))).mode & 0o777).toBe(0o700)
    expect(await readdir(join(directory, 'tile/0/000.p'))).toEqual(['1'])
  })

  test('listing for recovery removes what a crashed write left behind [S-21]', async () => {
    const directory = await mkdtemp(join(root, 'log-'))
    const tiles = createDirectoryTiles(systemLayer, directory)
    await mkdir(join(directory, 'tile/0'), { recursive: true })
    await writeFile(join(directory, 'tile/0/000.tmp~0123456789ab'), 'half')
    expect(await tiles.list('tile/0')).toEqual([])
    expect(await readdir(join(directory, 'tile/0'))).toEqual([])
  })

  test('the last partial tile takes its directory with it [S-21]', async () => {
    const directory = await mkdtemp(join(root, 'log-'))
    const tiles = createDirectoryTiles(systemLayer, directory)
    await tiles.write([{ path: 'tile/0/000.p/1', bytes: new Uint8Array(32) }])
    await tiles.remove(['tile/0/000.p/1'])
    expect(await readdir(join(directory, 'tile/0'))).toEqual([])
  })
})

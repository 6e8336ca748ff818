import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TileStore } from './contract.ts'

/** Opens the same tiles as often as it is asked. */
export interface TileStoreUnderTest {
  open(): Promise<TileStore>
}

/** Drivers may return a Buffer: what counts is the bytes. */
const plain = (read: Uint8Array | undefined) => (read === undefined ? undefined : new Uint8Array(read))
const bytes = (text: string) => new Uint8Array(Buffer.from(text))

/** What every driver of TileStore promises. */
export function describeTileStore(create: () => Promise<TileStoreUnderTest>): void {
  test('reads what was written, also by another instance, and nothing else [S-20]', async () => {
    const driver = await create()
    const tiles = await driver.open()
    await tiles.write([
      { path: 'tile/entries/x001/234.p/7', bytes: bytes('bundle') },
      { path: 'tile/0/x001/234.p/7', bytes: bytes('hashes') },
    ])
    const again = await driver.open()
    expect(plain(await again.read('tile/0/x001/234.p/7'))).toEqual(bytes('hashes'))
    expect(plain(await again.read('tile/entries/x001/234.p/7'))).toEqual(bytes('bundle'))
    expect(await again.read('tile/0/x001/234')).toBeUndefined()
    expect(await again.read('tile/1/000.p/1')).toBeUndefined()
  })

  test('a later write of the same path wins, as after a crash [S-20]', async () => {
    const tiles = await (await create()).open()
    await tiles.write([{ path: 'tile/0/000.p/3', bytes: bytes('crashed') }])
    await tiles.write([{ path: 'tile/0/000.p/3', bytes: bytes('again') }])
    expect(plain(await tiles.read('tile/0/000.p/3'))).toEqual(bytes('again'))
  })

  test('lists names of a directory, removes paths, ignores those that are gone [S-21]', async () => {
    const tiles = await (await create()).open()
    expect(await tiles.list('tile/0/000.p')).toEqual([])
    await tiles.write([3, 9].map((width) => ({ path: `tile/0/000.p/${width}`, bytes: bytes('x') })))
    expect((await tiles.list('tile/0/000.p')).sort()).toEqual(['3', '9'])
    await tiles.remove(['tile/0/000.p/3', 'tile/0/000.p/4'])
    expect(await tiles.list('tile/0/000.p')).toEqual(['9'])
    await tiles.remove(['tile/0/000.p/9'])
    expect(await tiles.read('tile/0/000.p/9')).toBeUndefined()
    await tiles.write([{ path: 'tile/0/000.p/9', bytes: bytes('new') }])
    expect(plain(await tiles.read('tile/0/000.p/9'))).toEqual(bytes('new'))
  })

  test('publishes checkpoints: none, then the last [S-20]', async () => {
    const driver = await create()
    const tiles = await driver.open()
    expect(await tiles.readCheckpoint()).toBeUndefined()
    await tiles.publish(bytes('first'))
    await tiles.publish(bytes('second'))
    expect(plain(await (await driver.open()).readCheckpoint())).toEqual(bytes('second'))
  })

  test('any bytes at any set of paths come back [S-20]', async () => {
    const driver = await create()
    const file = fc.record({
      path: fc.tuple(fc.constantFrom('entries', '0', '1'), fc.nat(999), fc.integer({ min: 1, max: 255 })),
      content: fc.uint8Array({ maxLength: 100 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(file, { maxLength: 8, selector: ({ path }) => path.join() }), async (files) => {
        const tiles = await driver.open()
        const written = files.map(({ path: [level, index, width], content }) => ({
          path: `tile/${level}/${String(index).padStart(3, '0')}.p/${width}`,
          bytes: content,
        }))
        await tiles.write(written)
        for (const each of written) expect(plain(await tiles.read(each.path))).toEqual(each.bytes)
      }),
      { numRuns: 20 },
    )
  })
}

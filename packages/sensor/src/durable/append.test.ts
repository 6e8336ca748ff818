import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppendError, allocateAppendFile } from './append.ts'
import { type FileLayer, systemLayer } from './layer.ts'
import { type Fault, makeFaulty, systemError } from './testdata/faulty-layer.ts'

const bytes = (size: number, value: number) => new Uint8Array(size).fill(value)

async function open(fault: Fault = () => undefined, layer: FileLayer = systemLayer) {
  const path = join(mkdtempSync(join(tmpdir(), 'affidavit-append-')), 'file')
  const space = await allocateAppendFile(makeFaulty(layer, fault), path, 4096)
  return { path, file: await space.publish(bytes(10, 1), () => undefined) }
}

describe('append', () => {
  it('lays parallel appends behind each other and settles them in order', async () => {
    const { path, file } = await open()
    const settled: number[] = []
    const running: Promise<void>[] = []
    for (let i = 2; i < 40; i++) {
      while (!file.ready) await new Promise((resolve) => setImmediate(resolve))
      running.push(file.append(bytes(5, i)).then(() => void settled.push(i)))
    }
    await Promise.all(running)
    expect(settled).toEqual(Array.from({ length: 38 }, (_, i) => i + 2))
    expect([...readFileSync(path).subarray(10, file.end)]).toEqual(settled.flatMap((i) => Array(5).fill(i)))
    await file.close()
  })
  it('takes one pwrite and one fdatasync [W-2]', async () => {
    const calls: string[] = []
    const { file } = await open((operation) => void calls.push(operation))
    calls.length = 0
    await file.append(bytes(5, 2))
    expect(calls.filter((call) => call !== 'open')).toEqual(['write', 'syncContent'])
    await file.close()
  })
  it.each(['write', 'syncContent'] as const)(
    'a failed %s poisons for ever; nothing is tried again [W-4]',
    async (at) => {
      let failing = false
      const calls: string[] = []
      const { file } = await open((operation) => {
        calls.push(operation)
        if (failing && operation === at) throw systemError('EIO', operation)
      })
      failing = true
      await expect(file.append(bytes(5, 2))).rejects.toMatchObject({ code: 'append_io' })
      failing = false
      calls.length = 0
      await expect(file.append(bytes(5, 3))).rejects.toMatchObject({ code: 'append_io' })
      await expect(file.extend(4096)).rejects.toMatchObject({ code: 'append_io' })
      expect(calls).toEqual([])
      await file.close()
    },
  )
  it('an append behind a failed one is not acknowledged, though its own sync succeeded [W-4]', async () => {
    let syncs = 0
    const { file } = await open(async (operation) => {
      if (operation !== 'syncContent') return
      syncs += 1
      if (syncs !== 3) return
      await new Promise((resolve) => setTimeout(resolve, 1000))
      throw systemError('EIO', 'fdatasync')
    })
    // The first two open the descriptors that the later ones use at the same time.
    await file.append(bytes(5, 2))
    await file.append(bytes(5, 3))
    const slow = file.append(bytes(5, 4))
    await expect.poll(() => file.ready, { interval: 5, timeout: 900 }).toBe(true)
    const fast = file.append(bytes(5, 5))
    const results = await Promise.allSettled([slow, fast])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await file.close()
  })
  it.each([
    ['deleted', (path: string) => rmSync(path)],
    ['moved away', (path: string) => renameSync(path, `${path}.old`)],
    ['cut', (path: string) => truncateSync(path, 100)],
    [
      'replaced',
      (path: string) => {
        const same = readFileSync(path)
        rmSync(path)
        writeFileSync(`${path}.other`, '')
        writeFileSync(path, same)
      },
    ],
  ])('a file that was %s is noticed before the append is acknowledged [W-5]', async (_, harm) => {
    const { path, file } = await open()
    await file.append(bytes(5, 2))
    harm(path)
    await expect(file.append(bytes(5, 3))).rejects.toMatchObject({ code: 'append_replaced' })
    await file.close()
  })
})

describe('space', () => {
  it('being refused more leaves the file usable [W-13]', async () => {
    let full = false
    const { path, file } = await open((operation) => {
      if (full && operation === 'write') throw systemError('ENOSPC', 'write')
    })
    full = true
    await expect(file.extend(4096)).rejects.toMatchObject({ code: 'append_full' })
    full = false
    await file.append(bytes(4096 - 10, 2))
    await file.extend(4096)
    expect(file.allocated).toBe(8192)
    expect(readFileSync(path)).toHaveLength(8192)
    await file.close()
  })
  it('a failed sync of new space poisons: it may have been about older bytes [W-4]', async () => {
    let failing = false
    const { file } = await open((operation) => {
      if (failing && operation === 'syncContent') throw systemError('EIO', 'fdatasync')
    })
    failing = true
    await expect(file.extend(4096)).rejects.toMatchObject({ code: 'append_io' })
    failing = false
    await expect(file.append(bytes(5, 2))).rejects.toBeInstanceOf(AppendError)
    await file.close()
  })
  it.each(['open', 'write', 'syncAll', 'rename', 'syncDirectory'] as const)(
    'creation that fails at %s leaves no temporary file [W-13]',
    async (at) => {
      const folder = mkdtempSync(join(tmpdir(), 'affidavit-append-'))
      const layer = makeFaulty(systemLayer, (operation) => {
        if (operation === at) throw systemError('ENOSPC', operation)
      })
      const creation = async () => {
        const space = await allocateAppendFile(layer, join(folder, 'file'), 4096)
        return space.publish(bytes(10, 1), () => undefined)
      }
      await expect(creation()).rejects.toMatchObject({ code: 'append_full' })
      expect(readdirSync(folder).filter((name) => name !== 'file')).toEqual([])
    },
  )
})

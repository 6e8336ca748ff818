import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openHome } from '@affidavit/sensor/durable/home'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { SpoolError } from '@affidavit/sensor/spool/error'
import { createRecorder } from '@affidavit/sensor/spool/fail-mode'
import { openStream } from '@affidavit/sensor/spool/stream'
import { describe, expect, it, type TestContext } from 'vitest'
import { listStreams, makeRequested, makeSections, readAll } from '../../packages/sensor/src/spool/testdata/calls.ts'
import { mountThinDisk, type ThinDisk } from './broken-disk.ts'

const megabyte = 1024 * 1024
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Emits requests until one is refused. Returns the hashes of those that were acknowledged, and the refusal. */
async function emitUntilRefused(dir: string, harm: (n: number) => void) {
  const home = await openHome(dir)
  const recorder = createRecorder({
    failOpen: new Set(['read']),
    open: (knownHead) => openStream({ home, software: 'test/1', knownHead }),
  })
  const acknowledged: string[] = []
  for (let n = 0; n < 5000; n++) {
    harm(n)
    const outcome = await recorder.emit(makeRequested(n), makeSections(4000)).catch((error: unknown) => error)
    if (!(outcome instanceof Object && 'hash' in outcome && outcome.hash instanceof Uint8Array))
      return { acknowledged, refusal: outcome, recorder }
    acknowledged.push(hex(outcome.hash))
  }
  throw new Error('the disk took everything')
}

async function readHashes(directory: string): Promise<string[]> {
  const found: string[] = []
  for (const streamId of await listStreams(systemLayer, directory)) {
    const { records } = await readAll({ layer: systemLayer, directory, streamId, state: 'dead' })
    found.push(...records.map(({ hash }) => hex(hash)))
  }
  return found
}

async function withDisk(context: TestContext, backingBytes: number, use: (disk: ThinDisk) => Promise<void>) {
  const disk = mountThinDisk(24 * megabyte, backingBytes)
  if (typeof disk === 'string') {
    console.warn(`SKIPPED: failing syncs on a real disk; ${disk}`)
    return context.skip(disk)
  }
  try {
    await use(disk)
  } finally {
    disk.unmount()
  }
}

describe('a real disk whose syncs fail', () => {
  it('behaves as the design says: after a failed fdatasync the next one succeeds', async (context) => {
    await withDisk(context, 3 * megabyte, async ({ directory }) => {
      const fd = openSync(join(directory, 'file'), 'w')
      const write = () => {
        for (let i = 0; i < 60; i++) {
          writeSync(fd, new Uint8Array(256 * 1024).fill(1))
          fdatasyncSync(fd)
        }
      }
      expect(write).toThrow(/EIO/)
      expect(() => fdatasyncSync(fd)).not.toThrow()
      closeSync(fd)
    })
  })
  it('poisons the stream; what was acknowledged is there after the disk was replugged [W-4] [W-13]', async (context) => {
    await withDisk(context, 3 * megabyte, async (disk) => {
      const { acknowledged, refusal, recorder } = await emitUntilRefused(join(disk.directory, 'home'), () => undefined)
      expect(refusal).toBeInstanceOf(SpoolError)
      expect(acknowledged.length).toBeGreaterThan(10)
      await recorder.close('error').catch((error: unknown) => expect(error).toBeInstanceOf(SpoolError))
      disk.replug()
      const found = await readHashes(join(disk.directory, 'home', 'spool'))
      for (const hash of acknowledged) expect(found).toContain(hash)
    })
  })
  it('gone read-only, refuses calls of every class, since no gap can be written either [W-8] [W-6]', async (context) => {
    await withDisk(context, 20 * megabyte, async (disk) => {
      const harm = (n: number) => {
        if (n === 20) disk.failFileSystem()
      }
      const { acknowledged, refusal, recorder } = await emitUntilRefused(join(disk.directory, 'home'), harm)
      expect(acknowledged.length).toBeGreaterThanOrEqual(20)
      expect(refusal).toMatchObject({ retry: true })
      await expect(recorder.emit(makeRequested(9000, 'write'), {})).rejects.toMatchObject({
        code: expect.stringMatching(/^spool_(read_only|io)$/),
      })
      await expect(recorder.emit(makeRequested(9001, 'read'), {})).rejects.toMatchObject({ code: 'gap_not_durable' })
      await recorder.close('error').catch((error: unknown) => expect(error).toBeInstanceOf(SpoolError))
      disk.replug()
      const found = await readHashes(join(disk.directory, 'home', 'spool'))
      for (const hash of acknowledged) expect(found).toContain(hash)
    })
  })
})

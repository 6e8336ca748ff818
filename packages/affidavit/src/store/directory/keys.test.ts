import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashEmptyTree } from '@affidavit/evidence/log/hash'
import { sha256 } from '@affidavit/sensor/crypto/node'
import { type Home, openHome } from '@affidavit/sensor/durable/home'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadCollectorKeys } from './keys.ts'

let home: Home
beforeEach(async () => {
  home = await openHome(await mkdtemp(join(tmpdir(), 'affidavit-keys-')))
})
afterEach(() => rm(home.dir, { recursive: true, force: true }))

const reload = async () => loadCollectorKeys(await openHome(home.dir))

describe('keys of the collector', () => {
  test('are made once and private; the signer begins with the empty tree [S-22]', async () => {
    const keys = await loadCollectorKeys(home)
    const again = await reload()
    expect(again.note.key).toEqual(keys.note.key)
    expect(again.kek).toEqual(keys.kek)
    const { origin } = home.identity
    expect(await again.signerStore.load()).toEqual({ origin, size: 0, root: hashEmptyTree(sha256) })
    for (const path of [home.paths.logKey, home.paths.bodiesKey, home.paths.signerState])
      expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('signer state comes back as it was saved, and nothing else is taken for one [S-7]', async () => {
    const { signerStore } = await loadCollectorKeys(home)
    const state = { origin: 'x', size: 7, root: new Uint8Array(32).fill(1), checkpoint: new Uint8Array([65, 10]) }
    await signerStore.save(state)
    expect(await (await reload()).signerStore.load()).toEqual(state)
    for (const text of [
      '',
      '{',
      '[]',
      '{"v":2}',
      '{"v":1,"origin":"x","size":-1,"root":""}',
      '{"v":1,"origin":"x","size":1,"root":"AA=="}',
    ]) {
      await writeFile(home.paths.signerState, text)
      await expect(signerStore.load()).rejects.toMatchObject({ code: 'signer_malformed' })
    }
  })

  test('a lost signer state or signing key is not taken for a new log [S-7]', async () => {
    await loadCollectorKeys(home)
    await rm(home.paths.signerState)
    await expect(reload()).rejects.toMatchObject({ code: 'signer_lost' })
  })

  test('a lost or exchanged signing key stops the collector [S-7]', async () => {
    await loadCollectorKeys(home)
    await rm(home.paths.logKey)
    await expect(reload()).rejects.toMatchObject({ code: 'log_key_lost' })
    const other = await openHome(await mkdtemp(join(tmpdir(), 'affidavit-keys-')))
    await loadCollectorKeys(other)
    const { copyFile } = await import('node:fs/promises')
    await copyFile(other.paths.logKey, home.paths.logKey)
    await expect(reload()).rejects.toMatchObject({ code: 'log_key_lost' })
    await rm(other.dir, { recursive: true })
  })
})

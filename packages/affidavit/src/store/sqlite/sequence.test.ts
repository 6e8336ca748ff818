import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeSequenceStore } from '../sequence.contract.ts'
import { openSequenceReader } from './read.ts'
import { openSequenceStore } from './sequence.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'affidavit-sqlite-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))
const newPath = async () => join(await mkdtemp(join(root, 'store-')), 'store', 'collector.db')

describe('SQLite sequencing store', () => {
  describeSequenceStore(async () => {
    const path = await newPath()
    return {
      open: async (emptyRoot) => openSequenceStore(path, emptyRoot),
      openReader: async () => openSequenceReader(path),
    }
  })

  test('database and write-ahead log are private to the user [S-22]', async () => {
    const path = await newPath()
    openSequenceStore(path, new Uint8Array(32)).close()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const store = openSequenceStore(path, new Uint8Array(32))
    expect((await stat(`${path}-wal`)).mode & 0o777).toBe(0o600)
    store.close()
  })

  test('a missing store and a foreign version are told apart [S-23]', async () => {
    const path = await newPath()
    expect(() => openSequenceReader(path)).toThrow(expect.objectContaining({ code: 'store_missing' }))
    openSequenceStore(path, new Uint8Array(32)).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version=99')
    db.close()
    expect(() => openSequenceReader(path)).toThrow(expect.objectContaining({ code: 'store_version' }))
    expect(() => openSequenceStore(path, new Uint8Array(32))).toThrow(
      expect.objectContaining({ code: 'store_version' }),
    )
  })

  test('a store whose tables are not made yet is missing, not foreign [S-23]', async () => {
    const path = await newPath()
    await mkdir(dirname(path), { recursive: true })
    const db = new DatabaseSync(path)
    expect(() => openSequenceReader(path)).toThrow(expect.objectContaining({ code: 'store_missing' }))
    db.exec('PRAGMA journal_mode=WAL')
    expect(() => openSequenceReader(path)).toThrow(expect.objectContaining({ code: 'store_missing' }))
    db.exec('CREATE TABLE somebody (else_)')
    expect(() => openSequenceReader(path)).toThrow(expect.objectContaining({ code: 'store_version' }))
    db.close()
  })

  test('a reader cannot write [S-22]', async () => {
    const path = await newPath()
    openSequenceStore(path, new Uint8Array(32)).close()
    const reader = openSequenceReader(path)
    expect(Object.keys(reader)).not.toContain('commit')
    reader.close()
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { openForWriting } from './open.ts'
import { countUnlistedCalls, iterateToolChanges, listTools } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'affidavit-index-tools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

type Change = [server: string, name: string, event: string, before: string | undefined, after?: string]

/** An index with these changes, one per second, and nothing else. */
function fill(changes: readonly Change[]): DatabaseSync {
  const db = openForWriting(join(folder, `${count++}.db`), 'affidavit.example/tools')
  const insert = db.prepare(
    `INSERT INTO records (leaf, kind, streamId, seq, time, observedTime, server, event, detail)
     VALUES (?, 'change', '', 0, ?, 0, ?, ?, ?)`,
  )
  for (const [leaf, [server, name, event, before, after]] of changes.entries())
    insert.run(leaf, leaf * 1000, server, event, JSON.stringify({ subject: 'tool', name, event, before, after }))
  return db
}
const all = { server: [], tool: [] }

describe('what the log says of tools', () => {
  it('is the last of each, with what changed; the same told twice is told once [TD-11]', () => {
    const db = fill([
      ['files', 'read', 'appeared', undefined, 'A'],
      ['files', 'read', 'appeared', undefined, 'A'],
      ['files', 'read', 'changed', 'A', 'B'],
      ['files', 'read', 'changed', 'A', 'B'],
      ['files', 'drop', 'appeared', undefined, 'C'],
      ['files', 'drop', 'disappeared', 'C'],
      ['files', 'read', 'appeared', undefined, 'B'],
      ['mail', 'read', 'appeared', undefined, 'D'],
    ])
    expect(listTools(db, all)).toMatchObject([
      {
        server: 'files',
        name: 'drop',
        state: 'gone',
        definition: 'C',
        changes: 1,
        firstSeenMs: 4000,
        lastChangedMs: 5000,
      },
      {
        server: 'files',
        name: 'read',
        state: 'listed',
        definition: 'B',
        changes: 1,
        firstSeenMs: 0,
        lastChangedMs: 2000,
      },
      { server: 'mail', name: 'read', state: 'listed', definition: 'D', changes: 0, lastChangedMs: undefined },
    ])
    expect(listTools(db, { server: ['fil*'], tool: ['d*', 'nothing'] })).toHaveLength(1)
    expect([...iterateToolChanges(db, all, { sinceMs: 5000, untilMs: 7000 })].map(({ leaf }) => leaf)).toEqual([5, 6])
    expect(countUnlistedCalls(db, all)).toBe(0)
    db.close()
  })

  it('leaves out changes of other things, and takes no name for SQL [TD-11]', () => {
    const db = fill([['files', "x' OR 1=1 --", 'appeared', undefined, 'A']])
    db.exec(
      `INSERT INTO records (leaf, kind, streamId, seq, time, observedTime, server, event, detail)
       VALUES (9, 'change', '', 0, 0, 0, 'files', 'loaded', '{"subject":"config","event":"loaded","after":"A"}')`,
    )
    expect(listTools(db, all)).toHaveLength(1)
    expect(listTools(db, { server: [], tool: ["x' OR 1=1 --"] })).toHaveLength(1)
    expect(listTools(db, { server: [], tool: ["y' OR 1=1 --"] })).toEqual([])
    db.close()
  })
})

import type { DatabaseSync } from 'node:sqlite'
import type { Commit, SequenceStore, StreamState, TreeState } from '../contract.ts'
import { StoreError } from '../error.ts'
import { openToWrite } from './open.ts'
import { createReader } from './read.ts'
import { integer, text, toOpenCall, toWrapKey } from './rows.ts'

/** Opens store/collector.db for the one process that sequences. `emptyRoot` is the root of the empty tree. */
export function openSequenceStore(path: string, emptyRoot: Uint8Array): SequenceStore {
  const db = openToWrite(path, emptyRoot)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const end = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  const inTransaction = (write: () => void) => {
    begin.run()
    try {
      write()
    } catch (cause) {
      rollback.run()
      throw cause
    }
    // A crash up to here leaves the old state; one after it, the new. There is nothing between.
    end.run()
  }
  const streams = createStreamTable(db)
  const writeCommit = createCommitWriter(db, streams)
  return {
    ...createReader(db),
    ...readSequencerState(db),
    commit: async (commit) => inTransaction(() => writeCommit(commit)),
    setStream: async (state) => inTransaction(() => void streams.write(state)),
  }
}

/** Advances the tree first: where another process moved it, nothing of this step may be written. */
function createCommitWriter(db: DatabaseSync, streams: StreamTable): (commit: Commit) => void {
  const tree = db.prepare('UPDATE tree SET size = ?, root = ? WHERE id = 1 AND size = ? AND root = ?')
  const range = db.prepare('INSERT INTO ranges (first_leaf, stream, first_seq, count) VALUES (?, ?, ?, ?)')
  const body = db.prepare('INSERT INTO bodies (leaf, body) VALUES (?, ?)')
  const writeKeys = createKeyWriter(db)
  const writeCalls = createCallWriter(db, streams)
  return (commit) => {
    const { from, to } = commit
    const moved = tree.run(to.size, to.root, from.size, from.root)
    if (Number(moved.changes) !== 1) throw storeMoved(db, from)
    for (const state of commit.streams) streams.write(state)
    for (const r of commit.ranges) range.run(r.firstLeaf, streams.row(r.streamId), r.firstSeq, r.count)
    for (const b of commit.bodies) body.run(b.leaf, b.body)
    writeKeys(commit)
    writeCalls(commit)
  }
}

function createKeyWriter(db: DatabaseSync): (commit: Commit) => void {
  const reference = db.prepare('INSERT INTO subject_references (kind, identity_key, reference) VALUES (?, ?, ?)')
  const wrapKey = db.prepare(
    'INSERT INTO wrap_keys (id, subject, retention, month, kek_id, wrapped) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const secrets = db.prepare('INSERT INTO secrets (first_leaf, wrap_key, salt, offsets, sealed) VALUES (?, ?, ?, ?, ?)')
  return (commit) => {
    for (const r of commit.references) reference.run(r.kind, r.identityKey, r.reference)
    for (const k of commit.wrapKeys) wrapKey.run(k.id, k.subject, k.retention, k.month, k.kekId, k.wrapped)
    for (const s of commit.secrets) secrets.run(s.firstLeaf, s.wrapKeyId, s.salt, s.offsets, s.sealed)
  }
}

function createCallWriter(db: DatabaseSync, streams: StreamTable): (commit: Commit) => void {
  const opened = db.prepare(
    `INSERT INTO open_calls (requested_hash, stream, seq, kind, call_id, call_group_id, subject, credential)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const completed = db.prepare('DELETE FROM open_calls WHERE requested_hash = ?')
  return (commit) => {
    for (const hash of commit.completedCalls) completed.run(hash)
    for (const c of commit.openedCalls) {
      const { callGroupId = null, subject = null, credential = null } = c
      opened.run(c.requestedHash, streams.row(c.streamId), c.seq, c.kind, c.callId, callGroupId, subject, credential)
    }
  }
}

function storeMoved(db: DatabaseSync, from: TreeState): StoreError {
  const size = integer(db.prepare('SELECT size FROM tree WHERE id = 1').get() ?? {}, 'size')
  return new StoreError(
    'store_moved',
    `the tree is at size ${size}, this process computed from ${from.size}: two collectors write one store, stop one`,
  )
}

interface StreamTable {
  write(state: StreamState): void
  row(streamId: string): number
}

function createStreamTable(db: DatabaseSync): StreamTable {
  const upsert = db.prepare(
    `INSERT INTO streams (stream_id, sensor_id, sensor_key, counter, boot_id, opened_time, next_seq, head_hash,
       standing, refusal_code, refusal_reason, refusal_seq, own)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (stream_id) DO UPDATE SET sensor_id = excluded.sensor_id, sensor_key = excluded.sensor_key,
       counter = excluded.counter, boot_id = excluded.boot_id, opened_time = excluded.opened_time,
       next_seq = excluded.next_seq, head_hash = excluded.head_hash, standing = excluded.standing,
       refusal_code = excluded.refusal_code, refusal_reason = excluded.refusal_reason,
       refusal_seq = excluded.refusal_seq, own = excluded.own`,
  )
  const find = db.prepare('SELECT id FROM streams WHERE stream_id = ?')
  return {
    write: (state) => {
      const { sensorId = null, sensorKey = null, counter = null, bootId = null, time = null } = state.opening ?? {}
      const { code = null, reason = null, seq = null } = state.refusal ?? {}
      const { streamId, nextSeq, headHash = null, standing } = state
      const opening = [streamId, sensorId, sensorKey, counter, bootId, time] as const
      upsert.run(...opening, nextSeq, headHash, standing, code, reason, seq, state.own ? 1 : 0)
    },
    row: (streamId) => integer(find.get(streamId) ?? {}, 'id'),
  }
}

function readSequencerState(db: DatabaseSync) {
  const reference = db.prepare('SELECT reference FROM subject_references WHERE kind = ? AND identity_key = ?')
  const wrapKey = db.prepare('SELECT * FROM wrap_keys WHERE subject = ? AND retention = ? AND month = ?')
  const counter = db.prepare('SELECT stream_id FROM streams WHERE sensor_id = ? AND counter = ? AND next_seq > 0')
  const callColumns = 'c.*, s.stream_id, s.sensor_id FROM open_calls c JOIN streams s ON s.id = c.stream'
  const calls = db.prepare(`SELECT ${callColumns} ORDER BY s.id, c.seq`)
  const callsOf = db.prepare(`SELECT ${callColumns} WHERE s.stream_id = ? ORDER BY c.seq`)
  return {
    findReference: async (kind: string, identityKey: Uint8Array) => {
      const row = reference.get(kind, identityKey)
      return row === undefined ? undefined : text(row, 'reference')
    },
    findWrapKey: async ({ subject, retention, month }: { subject: string; retention: string; month: string }) => {
      const row = wrapKey.get(subject, retention, month)
      return row === undefined ? undefined : toWrapKey(row)
    },
    findByCounter: async (sensorId: string, number: number) => {
      const row = counter.get(sensorId, number)
      return row === undefined ? undefined : text(row, 'stream_id')
    },
    openCalls: async (streamId?: string) => {
      const rows = streamId === undefined ? calls.all() : callsOf.all(streamId)
      return rows.map(toOpenCall)
    },
  }
}

import type { DatabaseSync } from 'node:sqlite'
import type { SequenceReader } from '../contract.ts'
import { openToRead } from './open.ts'
import { bytes, integer, toBody, toRange, toSecrets, toStreamState, toWrapKey } from './rows.ts'

/** Reads beside the collector, in any number of processes. Throws StoreError `store_missing` or `store_version`. */
export function openSequenceReader(path: string): SequenceReader {
  return createReader(openToRead(path))
}

/** The reading half of the contract over an open database. Each answer is one statement, hence one consistent view. */
export function createReader(db: DatabaseSync): SequenceReader {
  return { ...readTree(db), ...readBodies(db), ...readKeys(db), close: () => db.close() }
}

function readTree(db: DatabaseSync) {
  const rangeColumns = 'r.first_leaf, s.stream_id, r.first_seq, r.count FROM ranges r JOIN streams s ON s.id = r.stream'
  const tree = db.prepare('SELECT size, root FROM tree WHERE id = 1')
  const stream = db.prepare('SELECT * FROM streams WHERE stream_id = ?')
  const streams = db.prepare('SELECT * FROM streams ORDER BY id')
  const rangeAt = db.prepare(`SELECT ${rangeColumns} WHERE r.first_leaf <= ? ORDER BY r.first_leaf DESC LIMIT 1`)
  const rangeOf = db.prepare(
    `SELECT ${rangeColumns} WHERE s.stream_id = ? AND r.first_seq <= ? ORDER BY r.first_seq DESC LIMIT 1`,
  )
  const rangesFrom = db.prepare(
    `SELECT ${rangeColumns} WHERE r.first_leaf < ? AND r.first_leaf + r.count > ?
     AND r.first_leaf >= (SELECT coalesce(max(first_leaf), 0) FROM ranges WHERE first_leaf <= ?) ORDER BY r.first_leaf`,
  )
  return {
    treeState: async () => {
      const row = tree.get() ?? {}
      return { size: integer(row, 'size'), root: bytes(row, 'root') }
    },
    readStream: async (streamId: string) => {
      const row = stream.get(streamId)
      return row === undefined ? undefined : toStreamState(row)
    },
    readStreams: async () => streams.all().map(toStreamState),
    locate: async (leaf: number) => {
      const row = rangeAt.get(leaf)
      if (row === undefined) return undefined
      const { firstLeaf, firstSeq, count, streamId } = toRange(row)
      return leaf < firstLeaf + count ? { streamId, seq: firstSeq + leaf - firstLeaf } : undefined
    },
    findLeaf: async (streamId: string, seq: number) => {
      const row = rangeOf.get(streamId, seq)
      if (row === undefined) return undefined
      const { firstLeaf, firstSeq, count } = toRange(row)
      return seq < firstSeq + count ? firstLeaf + seq - firstSeq : undefined
    },
    readRanges: async (from: number, to: number) => rangesFrom.all(to, from, from).map(toRange),
  }
}

function readBodies(db: DatabaseSync) {
  const body = db.prepare('SELECT leaf, body FROM bodies WHERE leaf = ?')
  const bodies = db.prepare('SELECT leaf, body FROM bodies WHERE leaf >= ? AND leaf < ? ORDER BY leaf')
  return {
    readBody: async (leaf: number) => {
      const row = body.get(leaf)
      return row === undefined ? undefined : toBody(row).body
    },
    readBodies: async (from: number, to: number) => bodies.all(from, to).map(toBody),
  }
}

function readKeys(db: DatabaseSync) {
  // A blob belongs to the range that starts at its first leaf, so the blobs of a leaf are found by that range.
  const secrets = db.prepare(
    `SELECT * FROM secrets WHERE first_leaf < ?
     AND first_leaf >= (SELECT coalesce(max(first_leaf), 0) FROM ranges WHERE first_leaf <= ?) ORDER BY first_leaf`,
  )
  const wrapKey = db.prepare('SELECT * FROM wrap_keys WHERE id = ?')
  return {
    readSecrets: async (from: number, to: number) => secrets.all(to, from).map(toSecrets),
    readWrapKey: async (id: string) => {
      const row = wrapKey.get(id)
      return row === undefined ? undefined : toWrapKey(row)
    },
  }
}

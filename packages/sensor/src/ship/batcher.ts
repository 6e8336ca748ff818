import type { Batch, SealedStreamSecret, SpooledRecord } from '@affidavit/evidence/wire/batch'
import type { SegmentCursor, SegmentItem } from '../spool/read.ts'

/** A batch ends at the first signed commit at or above one of these. */
export const batchTargetBytes = 1024 * 1024
export const batchTargetRecords = 1024

type Commit = Extract<SegmentItem, { type: 'commit' }>

/** A batch and where reading goes on once it is acknowledged. */
export interface ReadBatch {
  batch: Batch
  cursor: SegmentCursor
}

export interface Batcher {
  /** Adds a commit's records from `nextSeq` on; those below are at the collector already. Returns a batch that is large enough to go. */
  add(commit: Commit, secret: SealedStreamSecret): ReadBatch | undefined
  /** What is left; undefined where nothing is. */
  flush(): ReadBatch | undefined
}

/** Gathers commits of one stream into batches. Commits stay whole, because each is covered by one signature at its end. */
export function createBatcher(streamId: string, nextSeq: number): Batcher {
  let records: SpooledRecord[] = []
  let firstSeq = nextSeq
  let bytes = 0
  let last: { commit: Commit; secret: SealedStreamSecret } | undefined
  const flush = (): ReadBatch | undefined => {
    if (last === undefined || records.length === 0) return undefined
    const { head, signature, cursor } = last.commit
    const batch = { streamId, firstSeq, records, head, signature, secret: last.secret }
    records = []
    bytes = 0
    firstSeq = head.seq + 1
    return { batch, cursor }
  }
  return {
    add: (commit, secret) => {
      last = { commit, secret }
      for (const { header, headerBytes, hash, body } of commit.records) {
        if (header.seq < nextSeq) continue
        if (records.length === 0) firstSeq = header.seq
        records.push({ header: headerBytes, body, read: { header, hash } })
        bytes += headerBytes.length + body.length
      }
      return bytes >= batchTargetBytes || records.length >= batchTargetRecords ? flush() : undefined
    },
    flush,
  }
}

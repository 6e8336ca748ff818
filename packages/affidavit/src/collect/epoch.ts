import { randomBytes } from 'node:crypto'
import type { Sha256 } from '@affidavit/evidence/record/crypto'
import { encodeEntry } from '@affidavit/evidence/record/entry'
import { encodeEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { hashHeader } from '@affidavit/evidence/record/hash'
import type { EpochDetail } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import { readBootId } from '@affidavit/sensor/durable/process'
import type { EnrichedBatch } from './enrich.ts'

export interface EpochPlace {
  tenant: string
  epoch: string
  detail: EpochDetail
}

/**
 * First entry of a log: a stream of one record that the collector writes itself, because before it there is no log that a
 * sensor's stream could belong to. No sensor signs it; the log's own signature does.
 */
export function createEpochBatch(sha256: Sha256, place: EpochPlace): EnrichedBatch {
  const now = Date.now()
  const time = formatTimestamp(now)
  const streamId = formatUuidV7(now, randomBytes(16))
  const header = encodeHeader({
    v: 1,
    tenant: place.tenant,
    epoch: place.epoch,
    streamId,
    seq: 0,
    bootId: readBootId(),
    time,
    monotonicUs: Math.floor(Number(process.hrtime.bigint()) / 1000),
    sections: {},
    kind: 'epoch',
    detail: place.detail,
  })
  return {
    stream: { streamId, nextSeq: 1, headHash: hashHeader(sha256, header), standing: 'closed', own: true },
    firstSeq: 0,
    entries: [encodeEntry(header, encodeEnvelope({ v: 1, observedTime: time }))],
    bodies: [new Uint8Array()],
    secrets: [undefined],
    subjects: [''],
    month: time.slice(0, 7),
    references: [],
    opened: [],
    completed: [],
    recovered: [],
  }
}

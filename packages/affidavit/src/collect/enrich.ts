import { encodeEntry } from '@affidavit/evidence/record/entry'
import { encodeEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import type { Timestamp } from '@affidavit/evidence/record/header'
import type { OpenCall, Reference, StreamState } from '../store/contract.ts'
import type { AdmittedBatch } from './admit.ts'
import type { AdmittedRecord } from './admit-record.ts'
import { findCompleted, isCompleted, isRequested, type OpenCalls, toOpenCall } from './open-calls.ts'
import type { EntryReferences, ReferenceTable } from './references.ts'

/** A batch as the sequencer takes it: only leaf indexes are missing. */
export interface EnrichedBatch {
  stream: StreamState
  firstSeq: number
  entries: Uint8Array[]
  /** One per entry; empty where the record has no sections. */
  bodies: Uint8Array[]
  secrets: (Uint8Array | undefined)[]
  /** Whom each record is about, for its wrap key; '' for nobody. */
  subjects: string[]
  /** `2026-11`, of observedTime. */
  month: string
  references: Reference[]
  opened: OpenCall[]
  completed: OpenCall[]
  /** Streams that this batch, being the collector's own, says have ended, as they are then. */
  recovered: StreamState[]
}

export interface Enrichment {
  references: ReferenceTable
  /** Grows and shrinks with every admitted batch. */
  calls: OpenCalls
  /** The stream marked as recovered, also in memory; undefined where nobody knows it. */
  markRecovered(streamId: string): Promise<StreamState | undefined>
}

/** Adds what the collector knows: when it saw the records, whom they are about. */
export async function enrich(
  enrichment: Enrichment,
  batch: AdmittedBatch,
  observedTime: Timestamp,
): Promise<EnrichedBatch> {
  const { references, calls } = enrichment
  const { state } = batch.stream
  const enriched: EnrichedBatch = {
    stream: state, firstSeq: batch.firstSeq, entries: [], bodies: [], secrets: [], subjects: [],
    month: observedTime.slice(0, 7), references: [], opened: [], completed: [], recovered: [],
  } // biome-ignore format: one list
  const envelopes = new Map<string, Uint8Array>()
  const signature = Buffer.from(batch.signature).toString('base64')
  for (const [i, record] of batch.records.entries()) {
    const about = await findReferences(references, calls, record, enriched)
    track(calls, record, about, enriched)
    const recovered = await findRecovered(enrichment, record)
    if (recovered !== undefined) enriched.recovered.push(recovered)
    const isLast = i === batch.records.length - 1
    const envelope = isLast
      ? encodeEnvelope({ v: 1, observedTime, ...about, signature })
      : reuse(envelopes, `${about.subject}/${about.credential}`, () => encodeEnvelope({ v: 1, observedTime, ...about }))
    enriched.entries.push(encodeEntry(record.headerBytes, envelope))
    enriched.bodies.push(record.body)
    enriched.secrets.push(record.secret)
    enriched.subjects.push(about.subject ?? '')
  }
  return enriched
}

/** `requested` says who; `completed` is about whom its `requested` was about, so that erasing reaches results too. */
async function findReferences(
  references: ReferenceTable,
  calls: OpenCalls,
  { header, sections }: AdmittedRecord,
  { references: fresh, stream }: EnrichedBatch,
): Promise<EntryReferences> {
  if (sections.identity !== undefined) return references.refer(sections.identity, fresh)
  const call = isCompleted(header) ? findCompleted(calls, header, stream) : undefined
  return {
    ...(call?.subject === undefined ? {} : { subject: call.subject }),
    ...(call?.credential === undefined ? {} : { credential: call.credential }),
  }
}

function track(calls: OpenCalls, record: AdmittedRecord, about: EntryReferences, enriched: EnrichedBatch): void {
  const { header, hashText } = record
  if (isRequested(header)) {
    const call = toOpenCall(record, header, enriched.stream, about)
    calls.set(hashText, call)
    enriched.opened.push(call)
  } else if (isCompleted(header)) {
    const call = findCompleted(calls, header, enriched.stream)
    if (call === undefined) return
    calls.delete(header.requestedHash)
    enriched.completed.push(call)
  }
}

async function findRecovered(
  { markRecovered }: Enrichment,
  { header }: AdmittedRecord,
): Promise<StreamState | undefined> {
  if (header.kind !== 'stream' || header.detail.event !== 'recovered') return undefined
  return markRecovered(header.detail.head.streamId)
}

function reuse(envelopes: Map<string, Uint8Array>, name: string, encode: () => Uint8Array): Uint8Array {
  const envelope = envelopes.get(name) ?? encode()
  envelopes.set(name, envelope)
  return envelope
}

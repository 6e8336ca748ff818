import type { VerifyEd25519 } from '@affidavit/evidence/record/crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { encodeCommitMessage } from '@affidavit/evidence/record/hash'
import type { Batch } from '@affidavit/evidence/wire/batch'
import { findBatchProblem } from '@affidavit/evidence/wire/validate'
import type { StreamState } from '../store/contract.ts'
import { type AdmittedRecord, openRecord, type RecordCrypto, readHeader } from './admit-record.ts'
import { applyRecord } from './apply-record.ts'
import { Refused } from './error.ts'
import type { KnownStream } from './stream-memory.ts'

/** What admission decides by: the log's place, the keys, and who may write. */
export interface AdmissionRules extends RecordCrypto {
  verifyEd25519: VerifyEd25519
  tenant: string
  epoch: string
  /** Key id of the collector's X25519 key, and what opens secrets sealed to it (throws RecordError). */
  collectorKeyId: string
  openSecret(sealed: Uint8Array): Uint8Array
  /** Whether this raw Ed25519 key is a sensor of ours. */
  isEnrolled(sensorKey: Uint8Array): boolean
  /** Stream that claimed this number of this sensor. */
  findByCounter(sensorId: string, counter: number): Promise<string | undefined>
  /** Header hash of a record that is sequenced; undefined where it is admitted but not sequenced yet. */
  findHash(streamId: string, seq: number): Promise<Uint8Array | undefined>
}

export interface AdmittedBatch {
  /** As it is once the batch is sequenced. */
  stream: KnownStream & { secret: Uint8Array }
  firstSeq: number
  records: AdmittedRecord[]
  /** Over the stream's head after the last record, 64 bytes. */
  signature: Uint8Array
}

/**
 * Reads a batch that may have been written by anyone and decides: a batch of records that continue their stream, or
 * undefined where all of it was admitted before. Throws Refused. Changes nothing.
 */
export async function admit(
  rules: AdmissionRules,
  known: KnownStream | undefined,
  batch: Batch,
): Promise<AdmittedBatch | undefined> {
  const problem = findBatchProblem(batch)
  if (problem !== undefined) throw new Refused(problem.code, batch.firstSeq, problem.reason)
  const before: StreamState = known?.state ?? newStream(batch.streamId)
  if (batch.firstSeq > before.nextSeq)
    throw new Refused('sequence_gap', before.nextSeq, `records ${before.nextSeq} to ${batch.firstSeq - 1} are missing`)
  const headers = readChain(rules, batch)
  await requireSameHistory(rules, before, batch, headers)
  const fresh = headers.slice(Math.max(0, before.nextSeq - batch.firstSeq))
  if (fresh.length === 0) return undefined
  const secret = known?.secret ?? openStreamSecret(rules, batch)
  const state = await advance(rules, before, fresh)
  await requireSignature(rules, state, batch)
  return {
    stream: { state, secret },
    firstSeq: before.nextSeq,
    records: openAll(rules, secret, fresh),
    signature: batch.signature,
  }
}

export function newStream(streamId: string): StreamState {
  return { streamId, nextSeq: 0, standing: 'open', own: false }
}

type ReadHeader = ReturnType<typeof readHeader> & { record: Batch['records'][number] }

/** Every header in its place behind the one before. Where the first one hangs is for requireSameHistory. */
function readChain({ sha256, tenant, epoch }: AdmissionRules, batch: Batch): ReadHeader[] {
  const headers: ReadHeader[] = []
  let prev: string | undefined
  for (const [i, record] of batch.records.entries()) {
    const place = { streamId: batch.streamId, tenant, epoch, seq: batch.firstSeq + i, prev }
    const read = readHeader(sha256, record, place)
    headers.push({ ...read, record })
    prev = read.hashText
  }
  if (prev !== batch.head.hash)
    throw new Refused('broken_chain', batch.head.seq, 'the signed head is not the hash of the last record')
  return headers
}

/**
 * A batch may begin with records that were admitted before, because an acknowledgement was lost. The last of them must
 * be the one we know; through the chain all before it are then. Another one at its place is equivocation: two machines
 * write one stream, or somebody wrote its past anew.
 */
async function requireSameHistory(rules: AdmissionRules, before: StreamState, batch: Batch, headers: ReadHeader[]) {
  const last = headers[Math.min(before.nextSeq - batch.firstSeq, headers.length) - 1]
  if (last === undefined) {
    if (headers[0]?.header.prev === toText(before.headHash)) return
    throw new Refused('equivocation', batch.firstSeq, `it follows another record than the one in the log before it`)
  }
  const seq = last.header.seq
  const ours = seq === before.nextSeq - 1 ? before.headHash : await rules.findHash(batch.streamId, seq)
  if (toText(ours) !== last.hashText)
    throw new Refused('equivocation', seq, `another record with number ${seq} is in the log`)
}

/** The stream after these records. */
async function advance(rules: AdmissionRules, before: StreamState, fresh: ReadHeader[]): Promise<StreamState> {
  let state = before
  for (const { header, hash } of fresh) state = await applyRecord(rules, state, header, hash)
  return state
}

function openStreamSecret(rules: AdmissionRules, batch: Batch): Uint8Array {
  const { keyId, sealed } = batch.secret
  if (keyId !== rules.collectorKeyId)
    throw new Refused(
      'secret_unreadable',
      batch.firstSeq,
      `sealed to key ${keyId}, the collector's is ${rules.collectorKeyId}`,
    )
  try {
    return rules.openSecret(sealed)
  } catch (error) {
    if (error instanceof RecordError) throw new Refused('secret_unreadable', batch.firstSeq, error.message)
    throw error
  }
}

async function requireSignature(rules: AdmissionRules, state: StreamState, batch: Batch): Promise<void> {
  const key = state.opening?.sensorKey ?? new Uint8Array()
  if (await rules.verifyEd25519(key, encodeCommitMessage(batch.head), batch.signature)) return
  throw new Refused('bad_signature', batch.head.seq, "the sensor's signature over the head does not verify")
}

function openAll(rules: AdmissionRules, secret: Uint8Array, fresh: ReadHeader[]): AdmittedRecord[] {
  return fresh.map(({ header, hash, hashText, record }) => {
    const opened = openRecord(rules, secret, record, header)
    return { header, headerBytes: record.header, hash, hashText, body: record.body, ...opened }
  })
}

function toText(hash: Uint8Array | undefined): string | undefined {
  return hash === undefined ? undefined : Buffer.from(hash).toString('base64')
}

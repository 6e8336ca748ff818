import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto'
import { encodeCommitMessage, hashHeader } from '@affidavit/evidence/record/hash'
import type { Draft, Hash, Header } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import { sectionNames } from '@affidavit/evidence/record/kinds'
import {
  commitSection, deriveRecordKeys, deriveRecordSecret, encodeBody, type Sections,
} from '@affidavit/evidence/record/sections' // biome-ignore format: one list
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { Batch, SpooledRecord } from '@affidavit/evidence/wire/batch'
import { sealing, sha256, signEd25519 } from '@affidavit/sensor/crypto/node'
import { sealToX25519 } from '@affidavit/sensor/crypto/seal-box'

/** Makes the batches a sensor would ship, without a spool: for tests of admission, and to measure the collector alone. */

export interface TestSensor {
  privateKey: KeyObject
  publicKey: Uint8Array
  counter: number
}

export function createTestSensor(): TestSensor {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicKey: rawKey(publicKey), counter: 0 }
}

export function rawKey(key: KeyObject): Uint8Array {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(half.export({ format: 'der', type: 'spki' }).subarray(-32))
}

export interface TestStreamOptions {
  sensor: TestSensor
  collector: { keyId: string; publicKey: Uint8Array }
  tenant: string
  epoch: string
}

export interface TestStream {
  readonly streamId: string
  write(draft: Draft, sections?: Sections): WrittenRecord
  /** `requested` and `completed` of one call. */
  writeCall(): [WrittenRecord, WrittenRecord]
  writeRequested(): WrittenRecord
  writeCompleted(requested: WrittenRecord): WrittenRecord
  /** The same stream on a cloned machine: from here on each writes its own. */
  fork(): TestStream
  /** Signed batch of the records from this sequence number on, up to `end` (default: all). */
  batch(from: number, end?: number): Batch
}

export interface WrittenRecord extends SpooledRecord {
  seq: number
  hash: Hash
  callId: string
}

const utf8 = new TextEncoder()
const bootId = randomUUID()
export const newUuid = () => formatUuidV7(Date.now(), randomBytes(16))
const textHash = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const digest = `00000000:${textHash(new Uint8Array(32))}`

export function openTestStream(options: TestStreamOptions): TestStream {
  const secret = new Uint8Array(randomBytes(32))
  const stream = toStream(options, { streamId: newUuid(), secret, records: [] })
  stream.write(opening(options.sensor))
  return stream
}

interface StreamBefore {
  streamId: string
  secret: Uint8Array
  records: readonly WrittenRecord[]
}

function toStream(options: TestStreamOptions, before: StreamBefore): TestStream {
  const { sensor, collector, tenant, epoch } = options
  const { streamId, secret } = before
  const sealed = { keyId: collector.keyId, sealed: sealToX25519(collector.publicKey, secret) }
  const records = [...before.records]
  const write = (draft: Draft, sections: Sections = {}): WrittenRecord => {
    const seq = records.length
    const { bodyKey, saltOf } = deriveRecordKeys(sealing, deriveRecordSecret(sealing, secret, seq))
    const commitments = sectionNames.flatMap((name) => {
      const bytes = sections[name]
      return bytes === undefined ? [] : [[name, textHash(commitSection(sha256, name, saltOf(name), bytes))]]
    })
    const prev = records[seq - 1]?.hash
    const header: Header = {
      ...draft, v: 1, tenant, epoch, streamId, seq, bootId, time: formatTimestamp(Date.now()), monotonicUs: seq,
      sections: Object.fromEntries(commitments), ...(prev === undefined ? {} : { prev }),
    } // biome-ignore format: one list
    const bytes = encodeHeader(header)
    const body = commitments.length === 0 ? new Uint8Array() : sealing.seal(bodyKey, encodeBody(sections))
    const callId = 'callId' in draft && draft.callId !== undefined ? draft.callId : ''
    const record = { seq, header: bytes, body, hash: textHash(hashHeader(sha256, bytes)), callId }
    records.push(record)
    return record
  }
  const writeRequested = () => write(requested(newUuid()), requestSections())
  const writeCompleted = (of: WrittenRecord) => write(completed(of), { output: utf8.encode('{"contentBytes":12}') })
  return {
    streamId,
    fork: () => toStream(options, { streamId, secret, records }),
    write,
    writeRequested,
    writeCompleted,
    writeCall: () => {
      const first = writeRequested()
      return [first, writeCompleted(first)]
    },
    batch: (from, end = records.length) => {
      const head = { streamId, seq: end - 1, hash: records[end - 1]?.hash ?? '' }
      const signature = signEd25519(sensor.privateKey, encodeCommitMessage(head))
      return { streamId, firstSeq: from, records: records.slice(from, end), head, signature, secret: sealed }
    },
  }
}

function opening(sensor: TestSensor): Draft {
  return {
    kind: 'stream',
    detail: {
      event: 'opened',
      sensorId: Buffer.from(sha256(sensor.publicKey)).toString('hex').slice(0, 16),
      sensorKey: textHash(sensor.publicKey),
      counter: sensor.counter++,
      previous: null,
      software: 'test 1.0.0',
    },
  }
}

export function requested(callId: string): Draft {
  return {
    kind: 'call',
    stage: 'requested',
    vantage: 'gateway',
    direction: 'to-server',
    callId,
    sessionSource: 'absent',
    sessionReason: 'test',
    method: 'tools/call',
    requestIdDigest: digest,
    server: { name: 'files', reportedName: 'secure-filesystem-server', version: '0.2.0' },
    tool: { name: 'read_text_file', definition: textHash(new Uint8Array(32)) },
    effect: 'unknown',
    level: 'arguments',
    inputBytes: 123,
    classification: { level: 'unclassified', tags: [] },
    decision: { disposition: 'undecided', mode: 'observe' },
  }
}

function completed({ callId, hash }: WrittenRecord): Draft {
  const draft = { kind: 'call', stage: 'completed', callId, requestedHash: hash, outcome: 'success' } as const
  return { ...draft, responseBytes: 456, latencyUs: 789 }
}

export const testUser = {
  assurance: 'attested', method: 'os-user', source: 'os', id: 'ada', uid: 1000, kind: 'person',
} as const // biome-ignore format: one list

function requestSections(): Sections {
  const absent = { absent: 'test' }
  const identity = { agent: absent, workload: absent, user: testUser, role: absent, token: absent, delegation: [] }
  return {
    input: utf8.encode('{"path":"/tmp/report.txt","head":10}'),
    identity: encodeIdentity(identity),
    decision: utf8.encode('{"policies":[],"rationale":"no policy is configured; the mode is observe"}'),
  }
}

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { signCheckpoint } from '../../log/checkpoint.ts'
import { cosign } from '../../log/cosignature.ts'
import { encodeNote, mergeSignatures, type NoteSigner, parseNote } from '../../log/note.ts'
import { makeSigner, makeWitness, rawPublicKey, sha256, toText, verifyEd25519 } from '../../log/testdata/shared.ts'
import { emptyLog, grow, type TiledLog } from '../../log/testdata/tiled-log.ts'
import { encodeEntry } from '../../record/entry.ts'
import { encodeEnvelope } from '../../record/envelope-bytes.ts'
import { encodeCommitMessage, hashHeader } from '../../record/hash.ts'
import type { Draft, Header, StreamHead } from '../../record/header.ts'
import { encodeHeader } from '../../record/header-bytes.ts'
import type { LogPolicy, VerifyCrypto } from '../policy.ts'
import { createProblemSink } from '../problem.ts'
import { toSensorId } from '../sensors.ts'
import { toVerdict } from '../verdict.ts'
import { type LogCheck, type LogFindings, verifyLog } from '../verify-log.ts'

/** Logs as the product writes them, in memory: real keys, real records, every tile version. */

export const origin = 'affidavit.local/0123456789abcdef/default/2026q4'
export const signer = makeSigner(origin)
export const witnesses = ['w1.example', 'w2.example', 'w3.example'].map(makeWitness)
export const crypto: VerifyCrypto = { sha256, verifyEd25519 }
export const policy: LogPolicy = {
  origin,
  logKeys: [signer.key],
  witnesses: witnesses.map(({ key }) => key),
  witnessesRequired: 2,
}
export const hash = toText(new Uint8Array(32))
let ids = 0
export const uuid = () => `01990000-0000-7000-8000-${String(++ids).padStart(12, '0')}`

export interface Sensor {
  readonly key: KeyObject
  readonly sensorKey: string
  readonly sensorId: string
}

export function makeSensor(): Sensor {
  const key = generateKeyPairSync('ed25519').privateKey
  const raw = rawPublicKey(key)
  return { key, sensorKey: toText(raw), sensorId: toSensorId(sha256, raw) }
}

export interface Stream {
  readonly streamId: string
  readonly sensor: Sensor
  head: StreamHead | null
}

export interface Built {
  readonly tiled: TiledLog
  readonly files: Map<string, Uint8Array>
  seconds: number
}

export const createLog = (): Built => {
  const tiled = emptyLog()
  const built = { tiled, files: tiled.files, seconds: 0 }
  const epoch = { kind: 'epoch', detail: { origin, previous: null } } as const
  append(built, [encode({ streamId: uuid(), sensor: makeSensor(), head: null }, epoch).header], [undefined])
  return built
}

/** Header line of the stream's next record; moves the stream on. `change` is what a forger would alter. */
export function encode(stream: Stream, draft: Draft, change: Partial<Header> = {}) {
  const seq = (stream.head?.seq ?? -1) + 1
  const core = {
    v: 1 as const,
    tenant: 'default',
    epoch: '2026q4',
    streamId: stream.streamId,
    seq,
    ...(stream.head === null ? {} : { prev: stream.head.hash }),
    bootId: '01990000-0000-4000-8000-000000000000',
    time: '2026-11-20T11:03:40.123Z',
    monotonicUs: seq,
    sections: {},
  }
  const header = encodeHeader({ ...core, ...draft, ...change } as Header)
  stream.head = { streamId: stream.streamId, seq, hash: toText(hashHeader(sha256, header)) }
  return { header, signature: toText(new Uint8Array(sign(null, encodeCommitMessage(stream.head), stream.sensor.key))) }
}

/** One batch: the records of one stream, the last one signed. */
export function appendBatch(built: Built, stream: Stream, drafts: readonly Draft[]): void {
  const encoded = drafts.map((draft) => encode(stream, draft))
  append(
    built,
    encoded.map(({ header }) => header),
    encoded.map(({ signature }, i) => (i === encoded.length - 1 ? signature : undefined)),
  )
}

export function append(
  built: Built,
  headers: readonly Uint8Array[],
  signatures: readonly (string | undefined)[],
): void {
  const entries = headers.map((header, i) => {
    const observedTime = new Date(Date.UTC(2026, 10, 20, 11, 0, built.seconds++)).toISOString()
    const signature = signatures[i]
    return encodeEntry(
      header,
      encodeEnvelope({ v: 1, observedTime, ...(signature === undefined ? {} : { signature }) }),
    )
  })
  if (entries.length > 0) grow(built.tiled, entries)
}

export function openStream(built: Built, sensor: Sensor, counter = 0, previous: StreamHead | null = null): Stream {
  const stream = newStream(sensor)
  appendBatch(built, stream, [genesis(sensor, counter, previous)])
  return stream
}

export const newStream = (sensor: Sensor): Stream => ({ streamId: uuid(), sensor, head: null })

export function genesis({ sensorId, sensorKey }: Sensor, counter: number, previous: StreamHead | null): Draft {
  return { kind: 'stream', detail: { event: 'opened', sensorId, sensorKey, counter, previous, software: 'test/1' } }
}

export function requested(callId = uuid()): Draft & { callId: string } {
  return {
    kind: 'call',
    stage: 'requested',
    vantage: 'gateway',
    direction: 'to-server',
    callId,
    sessionSource: 'legacy-stdio',
    sessionId: '01990000-0000-7000-8000-00000000cafe',
    method: 'tools/call',
    requestIdDigest: `0123abcd:${hash}`,
    server: { name: 'fs', reportedName: 'secure-filesystem-server', version: '0.2.0' },
    tool: { name: 'read_text_file', definition: hash },
    effect: 'unknown',
    level: 'arguments',
    inputBytes: 181,
    classification: { level: 'unclassified', tags: [] },
    decision: { disposition: 'undecided', mode: 'observe' },
  }
}

export function completed(callId: string, requestedHash: string, outcome: 'success' | 'unknown' = 'success'): Draft {
  return { kind: 'call', stage: 'completed', callId, requestedHash, outcome }
}

/** A call as two batches, the way a relay writes it. */
export function appendCall(built: Built, stream: Stream): void {
  const request = requested()
  appendBatch(built, stream, [request])
  appendBatch(built, stream, [completed(request.callId, stream.head?.hash ?? hash)])
}

/** Signs and publishes; cosigned by the first so many witnesses. */
export async function publish(built: Built, cosigners = 0, by: NoteSigner = signer): Promise<Uint8Array> {
  const { range } = built.tiled
  const growth = grow(built.tiled, [])
  const checkpoint = await signCheckpoint(by, { origin, size: BigInt(range.size), root: growth.root })
  const note = parseNote(checkpoint)
  const lines = witnesses.slice(0, cosigners).map((witness, i) => cosign(witness, note.text, BigInt(1795172400 + i)))
  const signatures = mergeSignatures(note.signatures, await Promise.all(lines))
  const bytes = encodeNote({ text: note.text, signatures })
  built.files.set('checkpoint', bytes)
  return bytes
}

export interface Verified {
  readonly findings: LogFindings
  readonly verdict: ReturnType<typeof toVerdict>
  readonly codes: string[]
}

/** Verifies the files as they are. */
export async function check(
  files: ReadonlyMap<string, Uint8Array>,
  options: Partial<LogCheck> = {},
): Promise<Verified> {
  const problems = createProblemSink()
  const readFile = async (path: string) => files.get(path)
  const findings = await verifyLog({ readFile, policy, crypto, problems, ...options })
  const verdict = toVerdict(findings, problems.found(), {
    nowMs: Date.UTC(2026, 10, 20, 12),
    signingKey: 'readable',
    keysFrom: 'verifier',
    sensorKeysFrom: 'log',
  })
  return { findings, verdict, codes: [...new Set(verdict.problems.map(({ code }) => code))] }
}

/** A log of several bundles: `calls` calls over three streams of two sensors. */
export async function createBusyLog(calls: number, cosigners = 0): Promise<Built> {
  const built = createLog()
  const [one, two] = [makeSensor(), makeSensor()]
  const first = openStream(built, one)
  const second = openStream(built, one, 1, first.head)
  const third = openStream(built, two)
  for (let i = 0; i < calls; i++) appendCall(built, [first, second, third][i % 3] ?? first)
  appendBatch(built, first, [{ kind: 'stream', detail: { event: 'closed', reason: 'exit' } }])
  await publish(built, cosigners)
  return built
}

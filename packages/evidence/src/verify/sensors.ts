import { fromBase64, toBase64 } from '../log/base64.ts'
import type { Sha256 } from '../record/crypto.ts'
import type { StreamDetail, StreamHead } from '../record/header.ts'
import type { Place, ProblemSink } from './problem.ts'

type Opened = Extract<StreamDetail, { event: 'opened' }>

/** One stream as its sensor counted it. */
interface Counted {
  readonly streamId: string
  readonly previous: StreamHead | null
  readonly place: Place
}

interface Sensor {
  readonly key: string
  readonly byCounter: Map<number, Counted>
}

export type Sensors = Map<string, Sensor>

export interface Genesis {
  readonly streamId: string
  readonly detail: Opened
  readonly place: Place
}

/** Enters a stream under its sensor. Streams of one sensor run side by side, so their order in the log says nothing. */
export function enterGenesis(
  sensors: Sensors,
  { streamId, detail, place }: Genesis,
  { sha256, problems }: { sha256: Sha256; problems: ProblemSink },
): void {
  const { sensorId, sensorKey, counter, previous } = detail
  if (sensorId !== toSensorId(sha256, fromBase64(sensorKey)))
    problems.add('sensor_id_wrong', place, `sensor ${sensorId} is not named after its key`)
  const sensor = sensors.get(sensorId) ?? { key: sensorKey, byCounter: new Map<number, Counted>() }
  sensors.set(sensorId, sensor)
  if (sensor.key !== sensorKey) problems.add('sensor_key_changed', place, `sensor ${sensorId} appears with two keys`)
  const twin = sensor.byCounter.get(counter)
  if (twin === undefined) sensor.byCounter.set(counter, { streamId, previous, place })
  else problems.add('counter_reused', place, `counter ${counter} of sensor ${sensorId} was used by ${twin.streamId}`)
}

/** First 16 hex digits of SHA-256 of the raw public key. */
export function toSensorId(sha256: Sha256, publicKey: Uint8Array): string {
  return Array.from(sha256(publicKey).subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** How far a stream is known. */
export interface KnownHead {
  readonly seq: number
  readonly hash: Uint8Array
  readonly genesisHash: Uint8Array
}

export interface CounterCheck {
  readonly findHead: (streamId: string) => KnownHead | undefined
  /**
   * Last seq of a stream that waits in a spool; undefined where it is not there. Left out by a verifier who has no spool
   * to look into: what the log lacks may then be on its way, and is reported as owed.
   */
  readonly findSpooled?: (streamId: string) => number | undefined
  /** `first`: every stream of every sensor is in this log. `later`: earlier streams are in the log of an earlier epoch. */
  readonly epoch: 'first' | 'later'
  readonly problems: ProblemSink
}

/**
 * Once all is read: every stream that a later one of the same sensor knew of must be here, as far as it was known. A
 * counter without a stream is fine only where the next stream says that it never became durable (`previous` is null).
 * Returns how many heads lie in the middle of their stream, where nothing is left to compare them with.
 */
export function verifyCounters(sensors: Sensors, check: CounterCheck): number {
  let uncompared = 0
  for (const [sensorId, { byCounter }] of sensors)
    for (const [counter, { previous, place }] of byCounter) {
      if (counter === 0 || previous === null) continue
      const before = byCounter.get(counter - 1)
      if (before !== undefined && before.streamId !== previous.streamId) {
        const message = `stream ${counter - 1} of sensor ${sensorId} is ${before.streamId}, the next one names another`
        check.problems.add('stream_head_wrong', place, message, { named: previous.streamId })
      } else if (verifyHead(check, previous, place) === 'uncompared') uncompared += 1
    }
  return uncompared
}

/** A head that somebody named, against the stream as it is. */
export function verifyHead(check: CounterCheck, head: StreamHead, place: Place): 'compared' | 'uncompared' {
  const known = check.findHead(head.streamId)
  if (known === undefined && check.epoch === 'later') return 'uncompared'
  if (known === undefined || head.seq > known.seq) {
    reportAbsent(check, head, place)
    return 'uncompared'
  }
  if (head.seq > 0 && head.seq < known.seq) return 'uncompared'
  const hash = head.seq === known.seq ? known.hash : known.genesisHash
  if (toBase64(hash) !== head.hash)
    check.problems.add('stream_head_wrong', place, `record ${head.seq} of stream ${head.streamId} has another hash`)
  return 'compared'
}

function reportAbsent({ findHead, findSpooled, problems }: CounterCheck, head: StreamHead, place: Place): void {
  const { streamId, seq } = head
  if ((findSpooled?.(streamId) ?? -1) >= seq) return
  const what = findHead(streamId) === undefined ? `stream ${streamId}` : `record ${seq} of stream ${streamId}`
  const evidence = { streamId, seq: String(seq) }
  if (findSpooled === undefined) problems.add('stream_owed', place, `${what} exists and is not in this log`, evidence)
  else problems.add('stream_missing', place, `${what} is neither in the log nor in the spool`, evidence)
}

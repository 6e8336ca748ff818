import { type Absent, orAbsent } from './absent.ts'
import { encodeShape, parseCanonical } from './canonical.ts'
import { type Containment, containment } from './containment.ts'
import { hash, keyedDigest } from './digest.ts'
import type { Hash, KeyedDigest, Timestamp } from './header.ts'
import { type Posture, posture } from './posture.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'
import { timestamp } from './timestamp.ts'

/** The machine of the sensor. */
export interface Host {
  /** `linux`, `darwin`, `win32`, … */
  os: string
  arch: string
  /** Release of the kernel or the system. */
  osVersion?: string
  name?: string
  region?: string
  zone?: string
  node?: string
  pod?: string
  namespace?: string
  container?: string
  /** Digest of the image that the container was made from. */
  image?: string
  /** Where each of these was read that is neither the kernel's nor Node's word, at most 16: by member. */
  sources?: HostSource[]
}

export interface HostSource {
  member: string
  source: string
}

/** A process beside the call. Arguments are left out: they hold secrets. */
export interface ProcessFacts {
  pid: number
  startedAt?: Timestamp
  /** Path of the executable, at most 1,024 bytes. */
  executable?: string
  /** SHA-256 of the bytes that run. */
  executableHash?: Hash
  /** Of the kernel, since boot. */
  startTicks?: number
  /** Of the sensor itself. */
  version?: string
}

export interface Processes {
  sensor: ProcessFacts
  /** Who started the sensor: the client, on stdio. */
  client: ProcessFacts | Absent
  server: ProcessFacts | Absent
}

/** One network 5-tuple, as the sensor's kernel saw it. */
export interface Connection {
  peer: 'client' | 'server'
  protocol: 'tcp' | 'udp' | 'unix'
  localAddress: string
  localPort: number
  remoteAddress: string
  remotePort: number
}

/** Ids that others chose; the header has only digests of them. */
export interface ForeignIds {
  /** The request id as JSON text, so that `1` is not `"1"`. */
  requestId?: string
  conversationId?: string
  taskId?: string
  /** A method that the protocol does not define. */
  method?: string
}

/** One removed value (sensor/redact). */
export interface Removal {
  /** JSON Pointer (RFC 6901) to where it stood, its keys redacted too, at most 1,024 bytes. Empty for plain text. */
  path: string
  rule: string
  /** UTF-8 bytes of the removed value. */
  bytes: number
  /** Absent where the value is too short or too regular to resist guessing. */
  digest?: KeyedDigest
}

export interface EnvironmentSection {
  host: Host | Absent
  processes: Processes | Absent
  /** What the sensor's process is enclosed in. Absent where nobody looked. */
  containment?: Containment
  /** What is said of the state of the machine. Absent where no source is configured. */
  posture?: Posture | Absent
  /** At most 16. */
  network: Connection[] | Absent
  ids: ForeignIds
  /** What redaction removed from `input` (on `requested`) or `output` (on `completed`): the first 1,000. */
  redactions: Removal[]
  redactionsOmitted: number
}

export const redactionsMax = 1_000

const host = object({
  os: shortText,
  arch: shortText,
  osVersion: optional(shortText),
  name: optional(shortText),
  region: optional(shortText),
  zone: optional(shortText),
  node: optional(shortText),
  pod: optional(shortText),
  namespace: optional(shortText),
  container: optional(shortText),
  image: optional(shortText),
  sources: optional(listOf(object({ member: shortText, source: shortText }), 16)),
})

const processFacts = object({
  pid: integer(),
  startedAt: optional(timestamp),
  executable: optional(text(1_024)),
  executableHash: optional(hash),
  startTicks: optional(integer()),
  version: optional(shortText),
})

const connection = object({
  peer: oneOf(['client', 'server']),
  protocol: oneOf(['tcp', 'udp', 'unix']),
  localAddress: text(256, 0),
  localPort: integer(0, 65_535),
  remoteAddress: text(256, 0),
  remotePort: integer(0, 65_535),
})

export const environmentShape = object({
  host: orAbsent(host),
  processes: orAbsent(object({ sensor: processFacts, client: orAbsent(processFacts), server: orAbsent(processFacts) })),
  containment: optional(containment),
  posture: optional(orAbsent(posture)),
  network: orAbsent(listOf(connection, 16)),
  ids: object({
    requestId: optional(text(1_024)),
    conversationId: optional(text(1_024, 0)),
    taskId: optional(text(1_024, 0)),
    method: optional(text(1_024, 0)),
  }),
  redactions: listOf(
    object({ path: text(1_024, 0), rule: shortText, bytes: integer(), digest: optional(keyedDigest) }),
    redactionsMax,
  ),
  redactionsOmitted: integer(),
})

const bytesMax = 1 << 24

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseEnvironment(bytes: Uint8Array): EnvironmentSection {
  return parseCanonical(bytes, bytesMax, environmentShape) as EnvironmentSection
}

/** Throws RecordError where parseEnvironment would refuse the bytes. */
export function encodeEnvironment(section: EnvironmentSection): Uint8Array {
  return encodeShape(section, environmentShape, bytesMax)
}

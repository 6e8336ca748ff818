import type { Leaf, LeafCheck } from './verify-contents.ts'

/** What entries say that is compared with other files once all went by. Plain values: threads hand them over. */
export interface LogFacts {
  /** First record of every stream. */
  openings: Map<string, Opening>
  /** Streams that the collector ended for their process. */
  recovered: Set<string>
  /** Calls without an outcome, by the hash of their request (base64). */
  openCalls: Map<string, OpenCallFacts>
  /** Requests that were completed here and made in an earlier part. */
  completedElsewhere: Set<string>
  /** Subjects and credentials that envelopes refer to. */
  references: Set<string>
  /** Ids of the correlation keys that digests name. */
  digestKeys: Set<string>
}

/** Undefined but for the last three in the epoch record, which no sensor wrote. */
export interface Opening {
  sensorId: string | null
  sensorKey: string | null
  counter: number | null
  bootId: string | null
  time: string | null
  /** Of the collector itself. */
  own: boolean
}

export interface OpenCallFacts {
  stream_id: string
  seq: number
  kind: string
  call_id: string
  call_group_id: string | null
  subject: string | null
  credential: string | null
}

export interface FactsCheck extends LeafCheck {
  facts(): LogFacts
}

export function emptyFacts(): LogFacts {
  return {
    openings: new Map(),
    recovered: new Set(),
    openCalls: new Map(),
    completedElsewhere: new Set(),
    references: new Set(),
    digestKeys: new Set(),
  }
}

export function createFactsCheck(): FactsCheck {
  const facts = emptyFacts()
  return {
    follow: ({ leaves }) => {
      for (const leaf of leaves) gather(facts, leaf)
    },
    end: () => undefined,
    facts: () => facts,
  }
}

/** Parts in the order of the log, as one. */
export function mergeFacts(parts: readonly LogFacts[]): LogFacts {
  const whole = emptyFacts()
  for (const part of parts) {
    for (const hash of part.completedElsewhere) whole.openCalls.delete(hash)
    for (const [hash, call] of part.openCalls) whole.openCalls.set(hash, call)
    for (const [streamId, opening] of part.openings) whole.openings.set(streamId, opening)
    for (const streamId of part.recovered) whole.recovered.add(streamId)
    for (const reference of part.references) whole.references.add(reference)
    for (const key of part.digestKeys) whole.digestKeys.add(key)
  }
  return whole
}

function gather(facts: LogFacts, { header, headerHash, envelope }: Leaf): void {
  if (header.seq === 0) facts.openings.set(header.streamId, toOpening(header))
  if (header.kind === 'stream' && header.detail.event === 'recovered') facts.recovered.add(header.detail.head.streamId)
  const { subject = null, credential = null } = envelope
  if (subject !== null) facts.references.add(subject)
  if (credential !== null) facts.references.add(credential)
  if (!('stage' in header)) return
  if (header.stage === 'completed') {
    if (!facts.openCalls.delete(header.requestedHash)) facts.completedElsewhere.add(header.requestedHash)
    return
  }
  facts.digestKeys.add(header.requestIdDigest.slice(0, 8))
  const { streamId, seq, kind, callId, callGroupId = null } = header
  const call = { stream_id: streamId, seq, kind, call_id: callId, call_group_id: callGroupId, subject, credential }
  facts.openCalls.set(Buffer.from(headerHash).toString('base64'), call)
}

/** Software of a collector is `affidavit/VERSION`; a sensor's has another name. */
function toOpening(header: Leaf['header']): Opening {
  if (header.kind !== 'stream' || header.detail.event !== 'opened')
    return { sensorId: null, sensorKey: null, counter: null, bootId: null, time: null, own: header.kind === 'epoch' }
  const { sensorId, sensorKey, counter, software } = header.detail
  const { bootId, time } = header
  return { sensorId, sensorKey, counter, bootId, time, own: software.startsWith('affidavit/') }
}

import { type DecisionSection, encodeDecision } from '@affidavit/evidence/record/decision-section'
import type { Draft, StreamHead } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText } from '@affidavit/evidence/record/text'
import type { OpenCall, Refusal } from '../store/contract.ts'

/** Writes a record on the collector's own stream; resolves when it is durable in the spool. */
export type Append = (draft: Draft, sections: Sections) => Promise<unknown>

/**
 * Ends a stream whose process died: a `completed` with outcome `unknown` for every call it left open, then `recovered`.
 * All of it goes the way of every record, through the spool. A crash in between leaves some calls ended and the stream
 * open; the next start ends the rest.
 */
export async function recoverStream(
  append: Append,
  stream: { head: StreamHead; tornBytes: number },
  calls: readonly OpenCall[],
): Promise<void> {
  await Promise.all(calls.map((call) => append(toUnknown(call), {})))
  const { head, tornBytes } = stream
  await append({ kind: 'stream', detail: { event: 'recovered', head, tornBytes, unknownCalls: calls.length } }, {})
}

function toUnknown({ kind, callId, callGroupId, requestedHash }: OpenCall): Draft {
  const group = callGroupId === undefined ? {} : { callGroupId }
  const hash = Buffer.from(requestedHash).toString('base64')
  return { kind, stage: 'completed', callId, ...group, requestedHash: hash, outcome: 'unknown' }
}

const rationaleBytesMax = 1024

/** Says in the log that a stream was quarantined, at which record and why. */
export async function recordRefusal(append: Append, streamId: string, { code, reason, seq }: Refusal): Promise<void> {
  const rationale = `stream ${streamId} was refused at record ${seq} (${code}): ${reason}`
  const decision: DecisionSection = {
    engine: { absent: 'the collector admits by fixed rules' },
    policies: [],
    conditions: [],
    obligations: [],
    rationale: clipText(rationale, rationaleBytesMax),
  }
  await append(
    { kind: 'violation', detail: { code: 'refused_stream', bytes: 0 } },
    { decision: encodeDecision(decision) },
  )
}

import type { CompletedHeader, Header, RequestedHeader } from '@affidavit/evidence/record/header'
import type { OpenCall, StreamState } from '../store/contract.ts'
import type { AdmittedRecord } from './admit-record.ts'
import type { EntryReferences } from './references.ts'

/** Calls whose end was not admitted yet, by the header hash (base64) of their `requested` record. */
export type OpenCalls = Map<string, OpenCall>

export function toOpenCalls(calls: readonly OpenCall[]): OpenCalls {
  return new Map(calls.map((call) => [Buffer.from(call.requestedHash).toString('base64'), call]))
}

export function isRequested(header: Header): header is RequestedHeader {
  return 'stage' in header && header.stage === 'requested'
}

export function isCompleted(header: Header): header is CompletedHeader {
  return 'stage' in header && header.stage === 'completed'
}

export function toOpenCall(
  record: AdmittedRecord,
  header: RequestedHeader,
  { opening }: StreamState,
  references: EntryReferences,
): OpenCall {
  const { streamId, seq, kind, callId, callGroupId } = header
  const group = callGroupId === undefined ? {} : { callGroupId }
  const sensorId = opening?.sensorId ?? ''
  return { requestedHash: record.hash, streamId, sensorId, seq, kind, callId, ...group, ...references }
}

/**
 * The call that this record ends. A sensor ends its own calls, be it on another stream after the first one failed; the
 * collector's stream ends those of the dead.
 */
export function findCompleted(calls: OpenCalls, header: CompletedHeader, { opening, own }: StreamState) {
  const call = calls.get(header.requestedHash)
  return call !== undefined && (own || call.sensorId === opening?.sensorId) ? call : undefined
}

import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { Acknowledgement, Batch } from '@affidavit/evidence/wire/batch'
import type { Refusal, SequenceStore, StreamState } from '../store/contract.ts'
import { type AdmissionRules, admit, newStream } from './admit.ts'
import { type Enrichment, enrich } from './enrich.ts'
import { CollectError, Refused } from './error.ts'
import type { Sequencer } from './sequencer.ts'
import type { KnownStream, StreamMemory } from './stream-memory.ts'

export interface AdmissionParts {
  rules: AdmissionRules
  enrichment: Omit<Enrichment, 'markRecovered'>
  memory: StreamMemory
  sequencer: Sequencer
  store: SequenceStore
  /** Called before a refusal is stored, so that it can stand in the log. Runs again where a crash came between. */
  onRefused(streamId: string, refusal: Refusal): Promise<void>
}

export interface Admission {
  submit(batch: Batch): Promise<Acknowledgement>
  refuse(streamId: string, refusal: Refusal): Promise<void>
  adopt(streamId: string): Promise<void>
}

/**
 * Admits one batch after the other, and lets the next one in while the last is being sequenced. Memory runs ahead of the
 * store by what is in between, so a failure in either ends the collector.
 */
export function createAdmission(parts: AdmissionParts): Admission {
  const { memory, store, sequencer } = parts
  let last: Promise<unknown> = Promise.resolve()
  const serially = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(sequencer.fail)
    return result
  }
  return {
    submit: async (batch) => {
      const decision = await serially(() => decide(parts, batch))
      if ('status' in decision) return decision
      await decision.sequenced
      return { status: 'acknowledged', nextSeq: decision.nextSeq }
    },
    refuse: (streamId, refusal) => serially(() => setRefused(parts, streamId, refusal)),
    // Not in the row: a refusal under way may open the own stream to say so, and nobody submits to that one yet.
    adopt: async (streamId) => {
      const state: StreamState = { ...newStream(streamId), own: true }
      await store.setStream(state)
      memory.keep({ state })
    },
  }
}

type Decision = { nextSeq: number; sequenced: Promise<void> } | (Acknowledgement & { status: 'refused' })

async function decide(parts: AdmissionParts, batch: Batch): Promise<Decision> {
  const known = await parts.memory.find(batch.streamId)
  if (known?.state.refusal !== undefined) return { status: 'refused', ...known.state.refusal }
  try {
    return await admitOne(parts, known, batch)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const refusal = { code: error.code, reason: error.message, seq: error.seq }
    await setRefused(parts, batch.streamId, refusal)
    return { status: 'refused', ...refusal }
  }
}

async function admitOne(parts: AdmissionParts, known: KnownStream | undefined, batch: Batch): Promise<Decision> {
  const { memory, sequencer } = parts
  const admitted = await admit(parts.rules, known, batch)
  // Known already, perhaps because its acknowledgement was lost: durable once everything before is.
  if (admitted === undefined) return { nextSeq: known?.state.nextSeq ?? 0, sequenced: sequencer.settled() }
  const markRecovered = (streamId: string) => recover(memory, streamId)
  const enriched = await enrich({ ...parts.enrichment, markRecovered }, admitted, formatTimestamp(Date.now()))
  memory.keep(admitted.stream)
  const { nextSeq } = admitted.stream.state
  const sequenced = sequencer.add(enriched)
  sequenced.then(() => forgetEnded(memory, admitted.stream), parts.sequencer.fail)
  return { nextSeq, sequenced }
}

/** A stream that ended needs no memory, and its secret is to be forgotten. */
function forgetEnded(memory: StreamMemory, { state }: KnownStream): void {
  if (state.standing === 'closed') memory.forget(state.streamId)
}

async function recover(memory: StreamMemory, streamId: string): Promise<StreamState | undefined> {
  const known = await memory.find(streamId)
  if (known === undefined || known.state.standing !== 'open') return undefined
  const state: StreamState = { ...known.state, standing: 'recovered' }
  memory.keep({ state })
  return state
}

async function setRefused({ memory, sequencer, store, onRefused }: AdmissionParts, streamId: string, refusal: Refusal) {
  // What was admitted before stands: it is sequenced first, so that the stored state is the one the log has.
  await sequencer.settled()
  const state = (await store.readStream(streamId)) ?? newStream(streamId)
  if (state.standing === 'refused') return
  const { code, reason, seq } = refusal
  if (state.own)
    throw new CollectError('own_stream_refused', `own stream ${streamId} was refused at ${seq} (${code}: ${reason})`)
  await onRefused(streamId, refusal)
  const refused: StreamState = { ...state, standing: 'refused', refusal }
  await store.setStream(refused)
  memory.keep({ state: refused })
}

import type { Absent } from '@affidavit/evidence/record/absent'
import type { Draft, KeyedDigest } from '@affidavit/evidence/record/header'
import type { CaptureLevel, Vantage } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { Classifier } from '../classify/classifier.ts'
import type { LocalFacts } from '../identity/local.ts'
import type { PostureReading } from '../identity/posture.ts'
import type { Redactor } from '../redact/redactor.ts'
import type { PolicyInForce } from './ask-policy.ts'
import type { BaselineStore } from './tools/baseline-store.ts'
import type { ValueMarker } from './value-marks.ts'

export type RequestedDraft = Extract<Draft, { stage: 'requested' }>
export type CompletedDraft = Extract<Draft, { stage: 'completed' }>

/** What a record became. `recorded` false: it passed under an open gap, and hash is the gap record's. */
export interface EmitReceipt {
  recorded: boolean
  /** Header hash, 32 bytes. */
  hash: Uint8Array
}

/** Resolves when the record is durable, or may pass without. Rejects where what it describes must not go on. */
export type Emit = (draft: Draft, sections: Sections) => Promise<EmitReceipt>

/** What capture needs from outside. */
export interface CaptureContext {
  emit: Emit
  redactor: Redactor
  /** Keyed digest of a value (evidence/record/digest). */
  digest: (value: string | Uint8Array) => KeyedDigest
  /** Marks of values that are followed. Without it none is. */
  marker?: ValueMarker
  /** Of the moment: a gateway may be told another one while it runs. */
  level: CaptureLevel
  serverName: string
  vantage: Vantage
  /** Of the machine; who is behind a request is the transport's to know. */
  facts: Pick<LocalFacts, 'host' | 'processes' | 'containment'>
  /** What the configured source said last of the machine's state; in memory, and never waited for. */
  currentPosture?: (() => PostureReading | Absent) | undefined
  /** What earlier processes saw of the server's tools. Without it every process sees all of them for the first time. */
  baselines?: BaselineStore
  /** Asked before a request goes on. Without it nothing is decided, and everything goes on. */
  policy?: PolicyInForce
  /** What the operator's catalogue says of calls. Without it none is classified. */
  classifier?: Classifier
  /** Program output: a stable code and a sentence, never values. */
  diagnose: (code: string, sentence: string) => void
}

/** The same context with parts replaced. Its level stays that of the moment, which a copy would not. */
export function replaceIn(context: CaptureContext, parts: Partial<Omit<CaptureContext, 'level'>>): CaptureContext {
  return {
    ...context,
    ...parts,
    get level() {
      return context.level
    },
  }
}

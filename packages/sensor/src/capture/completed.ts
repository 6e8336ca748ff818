import { formatHash } from '@affidavit/evidence/record/digest'
import type { Connection } from '@affidavit/evidence/record/environment-section'
import type { ServerRef, Uuid } from '@affidavit/evidence/record/header'
import type { ExchangeKind, Outcome } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { ValueMarks } from '@affidavit/evidence/record/value-marks'
import { accessedSections, minimalAccessed } from './accessed.ts'
import { keptLevel } from './classify.ts'
import type { CaptureContext, CompletedDraft, EmitReceipt } from './context.ts'
import type { Exchange } from './exchange.ts'
import type { CapturedLine } from './line.ts'
import type { ScannedMessage } from './message.ts'
import { outcomeOf, rpcCodeOf } from './outcome.ts'
import { answerEnvironment, minimalOutput, outputSections } from './output.ts'
import type { ResultReading } from './result-watch.ts'
import { toFailure } from './rpc-error.ts'
import { markResult } from './value-marks.ts'

const tagsMax = 16
const valueKinds: ReadonlySet<ExchangeKind> = new Set(['call', 'read', 'task'])

export interface DraftedOutcome {
  draft: CompletedDraft
  sections: Sections
  /** What is left of the sections where the record would not fit: outcome and place matter more. */
  least: () => Sections
}

/** The record of a response. */
export function draftCompleted(
  whole: CaptureContext,
  exchange: Exchange,
  receipt: EmitReceipt,
  from: { line: CapturedLine; message: ScannedMessage; server: ServerRef | undefined },
): DraftedOutcome {
  const { line, message, server } = from
  const context = contextFor(whole, exchange)
  const outcome = outcomeOf(message, exchange.method)
  const rpcCode = rpcCodeOf(message)
  const { httpStatus, session } = line.answer ?? {}
  const group = exchange.callGroupId ?? (outcome === 'continued' ? exchange.callId : undefined)
  const draft: CompletedDraft = {
    ...linkTo(exchange, receipt, outcome, group),
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(rpcCode === undefined ? {} : { rpcCode }),
    ...(session === undefined ? {} : { sessionId: session }),
    responseBytes: line.scanned.shape === 'batch' ? message.end - message.start : line.scanned.bytes,
    latencyUs: Math.max(0, line.arrived.monotonicUs - exchange.arrived.monotonicUs),
    ...(server === undefined ? {} : { server }),
    ...addSeen(exchange, message.content),
    ...line.arrived,
  }
  return {
    draft,
    sections: {
      ...outputSections(context, line, message, valuesOf(context, exchange, message)),
      ...accessedSections(exchange.accessed),
    },
    least: () => ({ ...minimalOutput(context, message), ...minimalAccessed(exchange.accessed) }),
  }
}

/** Of a result that gives out data which is to be followed. */
function valuesOf(
  { marker, classifier }: CaptureContext,
  { kind, direction, accessed, classification }: Exchange,
  { content }: ScannedMessage,
): ValueMarks | undefined {
  if (marker === undefined || content === undefined || direction !== 'to-server') return undefined
  const { level } = accessed.classification ?? classification ?? { level: '' }
  if (!valueKinds.has(kind) || classifier?.isFollowed(level) !== true) return undefined
  return markResult(marker, content)
}

/** What the server's own code said of the data may be of a higher level than what the request told. */
function contextFor(context: CaptureContext, { level, accessed }: Exchange): CaptureContext {
  const kept = keptLevel({ ...context, level }, accessed.classification?.level)
  return kept === context.level ? context : { ...context, level: kept }
}

/** How a call ended without a response of its own. */
export interface End {
  outcome: Outcome
  rpcCode?: number
  httpStatus?: number
  /** Of what came in the response's place. */
  responseBytes?: number
  latencyUs?: number
  /** Of what came in the response's place, as in ResponseOrigin. */
  network?: Connection[]
}

/** The record of a call whose response never came, or was ours. */
export function draftUnanswered(exchange: Exchange, receipt: EmitReceipt, end: End): DraftedOutcome {
  const { outcome, network, ...rest } = end
  return {
    draft: { ...linkTo(exchange, receipt, outcome, exchange.callGroupId), ...rest },
    sections: { ...answerEnvironment(network), ...accessedSections(exchange.accessed) },
    least: () => minimalAccessed(exchange.accessed),
  }
}

/** What detectors saw in a result joins what was said of the call's data before, marked as seen. */
function addSeen({ accessed, classification: before }: Exchange, content: ResultReading | undefined) {
  if (content === undefined || content.tags.length === 0) return {}
  const { level, tags } = accessed.classification ?? before ?? { level: 'unclassified', tags: [] }
  const all = new Set([...tags, ...content.tags.map((tag) => `seen:${tag}`)])
  return { classification: { level, tags: [...all].slice(0, tagsMax) } }
}

function linkTo(exchange: Exchange, receipt: EmitReceipt, outcome: Outcome, group: Uuid | undefined): CompletedDraft {
  const { classification } = exchange.accessed
  return {
    kind: exchange.kind,
    stage: 'completed',
    callId: exchange.callId,
    ...(group === undefined ? {} : { callGroupId: group }),
    requestedHash: formatHash(receipt.hash),
    outcome,
    ...(classification === undefined ? {} : { classification }),
  }
}

/** Resolves when it is durable, if need be without what would not fit. Rejects as emit does. */
export async function recordOutcome(
  { emit }: Pick<CaptureContext, 'emit'>,
  { draft, sections, least }: DraftedOutcome,
): Promise<void> {
  try {
    await emit(draft, sections)
  } catch (error) {
    const { cause } = toFailure(error)
    if (cause !== 'spool_full' && cause !== 'record_too_large') throw error
    await emit(draft, least())
  }
}

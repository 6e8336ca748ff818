import type { Outcome } from '@affidavit/evidence/record/kinds'
import { encodeOutput, type OutputSection } from '@affidavit/evidence/record/output-section'
import type { Resource } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { Accessed } from '../accessed.ts'
import { type Moment, readClock } from '../clock.ts'
import { type DraftedOutcome, draftCompleted, draftUnanswered } from '../completed.ts'
import type { EmitReceipt } from '../context.ts'
import { keepBlock } from '../output.ts'
import { buildLine, type OpenReport } from './draft.ts'
import type { ReportedOutcome } from './report.ts'
import { nameReporter } from './reported-origin.ts'

const nameBytesMax = 1024
const labelBytesMax = 64
/** A call that is said to end later than this is recorded as ending now: nobody knows the future. */
const aheadMaxMs = 5 * 60 * 1000
const utf8 = new TextEncoder()

/** The `completed` record of a report. */
export function draftEnd(open: OpenReport, receipt: EmitReceipt, told: ReportedOutcome): DraftedOutcome {
  const ended = endOf(open, told)
  open.exchange.accessed = accessedOf(open, told)
  const { draft, sections, least } = draftAnswer(open, receipt, { told, ended })
  // What was measured here is how long the report took; of the exchange only the reporter knows.
  const { latencyUs: _, responseBytes: __, ...rest } = draft
  const { outcome = draft.outcome, httpStatus, rpcCode, responseBytes, latencyUs } = told
  const { callGroupId = outcome === 'continued' ? draft.callId : undefined } = draft
  return {
    draft: {
      ...rest,
      outcome,
      ...(callGroupId === undefined ? {} : { callGroupId }),
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(rpcCode === undefined ? {} : { rpcCode }),
      ...(responseBytes === undefined ? {} : { responseBytes }),
      ...(latencyUs === undefined ? {} : { latencyUs }),
      reported: open.request.reporter.way,
      ...ended,
    },
    sections,
    least,
  }
}

/** By the reporter's word where it told both start and length, else now. */
function endOf({ request: { startedMs } }: OpenReport, { latencyUs }: ReportedOutcome): Moment {
  const now = readClock()
  if (startedMs === undefined || latencyUs === undefined) return now
  return { ...now, time: formatTimestamp(Math.min(startedMs + latencyUs / 1000, Date.now() + aheadMaxMs)) }
}

function draftAnswer(
  open: OpenReport,
  receipt: EmitReceipt,
  { told, ended }: { told: ReportedOutcome; ended: Moment },
): DraftedOutcome {
  const { context, exchange, request, session } = open
  const [key, value] = told.result === undefined ? ['error', told.error] : ['result', told.result]
  if (value === undefined) {
    const unanswered = draftUnanswered(exchange, receipt, { outcome: told.outcome ?? 'unknown' })
    return { ...unanswered, sections: { ...unanswered.sections, ...outlineSections(open, told) } }
  }
  const { line: built, message } = buildLine([utf8.encode(`"${key}":`), value], request, ended)
  const direction = built.direction === 'client-to-server' ? 'server-to-client' : 'client-to-server'
  const line = { ...built, direction, origin: open.origin } as const
  const server = request.direction === 'to-server' ? session.learn(line, message, exchange.method) : undefined
  return draftCompleted(context, exchange, receipt, { line, message, server })
}

const formOf: Partial<Record<Outcome, OutputSection['form']>> = {
  success: 'result',
  tool_error: 'result',
  continued: 'result',
  protocol_error: 'error',
}

function outlineSections({ context }: OpenReport, { outline, outcome = 'unknown' }: ReportedOutcome): Sections {
  if (outline === undefined) return {}
  const { structuredBytes } = outline
  const output = encodeOutput({
    form: formOf[outcome] ?? 'none',
    blocks: outline.blocks.map((block) => keepBlock(context.redactor, block)),
    blocksOmitted: 0,
    ...(structuredBytes === undefined ? {} : { structuredBytes }),
  })
  return { output }
}

/** What the call touched. At level `metadata` only how much: names of data are values. */
function accessedOf({ context, request }: OpenReport, { resources }: ReportedOutcome): Accessed {
  if (context.level === 'metadata') return { resources: [], omitted: resources.length, classification: undefined }
  const redact = (text: string) => context.redactor.redactText(text).text
  const source = nameReporter(request.reporter, redact)
  const kept = resources.map(
    ({ name, dataTypes, subjectClass, ...rest }): Resource => ({
      ...rest,
      name: clipText(redact(name), nameBytesMax),
      dataTypes: dataTypes.map((each) => clipText(redact(each), labelBytesMax)),
      ...(subjectClass === undefined ? {} : { subjectClass: clipText(redact(subjectClass), labelBytesMax) }),
      source,
    }),
  )
  return { resources: kept, omitted: 0, classification: undefined }
}

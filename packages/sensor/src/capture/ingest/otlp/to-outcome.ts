import type { Outcome } from '@affidavit/evidence/record/kinds'
import type { ReportedOutcome } from '../report.ts'
import { names } from './conventions.ts'
import { type Attributes, attributeAt, type PlacedSpan, statusError, textAt } from './span.ts'
import { jsonOf, topKeysOf } from './to-params.ts'

/** What a span says became of the request. */
export function toOutcome({ span }: PlacedSpan): ReportedOutcome {
  const { attributes, startNs, endNs } = span
  const code = codeOf(attributes)
  const outcome = code === undefined ? outcomeOf(attributes, span.status) : 'protocol_error'
  const result = outcome === 'success' || outcome === 'tool_error' ? resultOf(attributes) : undefined
  return {
    outcome,
    ...(code === undefined ? {} : { rpcCode: code }),
    ...(result === undefined ? {} : { result }),
    ...(endNs < startNs ? {} : { latencyUs: Number((endNs - startNs) / 1000n) }),
    resources: [],
  }
}

/** Servers choose codes freely; as `error.type` only JSON-RPC's own stand apart from HTTP's. */
function codeOf(attributes: Attributes): number | undefined {
  const code = textAt(attributes, names.errorCode) ?? ''
  const type = textAt(attributes, names.errorType) ?? ''
  if (/^-?[1-9]\d{0,9}$/.test(code)) return Number(code)
  return /^-[1-9]\d{0,9}$/.test(type) ? Number(type) : undefined
}

/** An error that has no code was made by the program, not told by its peer: mostly nobody knows what came of the request. */
function outcomeOf(attributes: Attributes, status: number): Outcome {
  const type = textAt(attributes, names.errorType)
  if (type === 'tool_error' || textAt(attributes, names.toolFailed) === 'true') return 'tool_error'
  if (type === undefined) return status === statusError ? 'unknown' : 'success'
  if (/time_?d?.?out|deadline/i.test(type)) return 'timeout'
  return /cancel|abort/i.test(type) ? 'cancelled' : 'unknown'
}

/** What is no CallToolResult is what a tool gave back: structured content, or text. */
function resultOf(attributes: Attributes): Uint8Array | undefined {
  const told = attributeAt(attributes, names.result)
  if (told === undefined) return undefined
  const json = jsonOf(told)
  const keys = topKeysOf(json)
  if (keys?.has('content') || keys?.has('structuredContent')) return Buffer.from(json)
  if (keys !== undefined) return Buffer.from(`{"structuredContent":${json}}`)
  return Buffer.from(
    `{"content":[{"type":"text","text":${told.text === undefined ? JSON.stringify(json) : JSON.stringify(told.text)}}]}`,
  )
}

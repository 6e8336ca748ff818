import { priorities } from '../query/priority.ts'
import type { LogEvent } from '../query/sqlite/events.ts'
import { formatBytes, formatLatency, formatNumberOf } from './format.ts'
import { describeHashes } from './tool-columns.ts'

/** What a line of `tail` says beside subject and event: the most telling first, for it may be cut. */
export function describeDetail(event: LogEvent): string {
  switch (event.kind) {
    case 'auth':
      return describeAuth(event)
    case 'approval':
      return describeApproval(event)
    case 'violation':
      return describeViolation(event)
    case 'change':
      return describeChange(event)
    default:
      return describeHalf(event).join(', ')
  }
}

/** Of half a call; from where it was seen, unless that is the usual place. */
function describeHalf(event: LogEvent): string[] {
  const { vantage, reported, httpStatus, priority = 0 } = event
  return [
    // What can wait says nothing.
    ...(priority === 0 ? [] : [priorities[priority] ?? '']),
    ...(reported === undefined ? [] : ['reported']),
    ...(httpStatus === undefined || httpStatus === 200 ? [] : [`HTTP ${httpStatus}`]),
    ...describeExchange(event),
    ...(vantage === undefined || vantage === 'gateway' ? [] : [`at ${vantage}`]),
  ]
}

function describeExchange({ bytes, latencyUs, agent, purpose }: LogEvent): string[] {
  const size = bytes === undefined ? [] : [formatBytes(bytes)]
  if (latencyUs !== undefined) return [formatLatency(latencyUs), ...size]
  const declared = purpose === undefined ? [] : [`for (claimed): ${purpose}`]
  return [...(agent === undefined ? [] : [agent]), ...size, ...declared]
}

/** Whose credential, why not, until when. */
function describeAuth({ agent, user, detail }: LogEvent): string {
  const { code, mode, grant, expires, upstreamExpires, count } = parseDetail(detail)
  const who = user ?? agent
  const until = text(upstreamExpires) ?? text(expires)
  return [
    ...(typeof count === 'number' && count > 1 ? [formatNumberOf(count, 'time', 'times')] : []),
    ...[text(code), who, text(grant)].filter((part) => part !== undefined),
    ...(mode === 'observe' ? ['only observed'] : []),
    ...(until === undefined ? [] : [`until ${sayTime(until)}`]),
  ].join(', ')
}

/** Who decided, and until when it counts. */
function describeApproval({ user, detail }: LogEvent): string {
  const until = text(parseDetail(detail).until)
  return [...(user === undefined ? [] : [user]), ...(until === undefined ? [] : [`until ${sayTime(until)}`])].join(', ')
}

const sayTime = (timestamp: string) => timestamp.slice(0, 19).replace('T', ' ')

function describeViolation({ detail }: LogEvent): string {
  const { direction, bytes } = parseDetail(detail)
  const size = typeof bytes === 'number' ? formatBytes(bytes) : undefined
  return [text(direction), size].filter((part) => part !== undefined).join(', ')
}

/** The definitions before and after. */
function describeChange({ detail }: LogEvent): string {
  const { before, after } = parseDetail(detail)
  return describeHashes({ before: text(before), after: text(after) })
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What the index keeps as JSON is an object that it wrote itself. */
function parseDetail(detail: string | undefined): Record<string, unknown> {
  const value: unknown = JSON.parse(detail ?? '{}')
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

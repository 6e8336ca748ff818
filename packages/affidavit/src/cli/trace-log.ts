import { createReadStream } from 'node:fs'
import { unreadable } from './failure.ts'

/** A line of a server's own log that names a call or its trace. Whoever writes to that log can write anything. */
export interface LogLine {
  file: string
  /** From 1. */
  number: number
  /** When, as the line says. */
  time?: string
  /** What stands before the mark, from the statement on where there is one. */
  text: string
  by: 'call id' | 'trace id'
}

/** Lines by call id, and those that name a trace of several calls and none of them. */
export interface JoinedLines {
  byCall: Map<string, LogLine[]>
  ofTrace: LogLine[]
  /** Lines beyond linesMax of a call. */
  omitted: number
}

/** Which ids are looked for: of a call's records all, and of a trace the only call that has it, where there is one. */
export interface SoughtIds {
  calls: ReadonlySet<string>
  traces: ReadonlyMap<string, string | undefined>
}

const linesMax = 20
const lineCharsMax = 1 << 20
const textCharsMax = 400
const idPattern =
  /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi
const timePattern = /\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:UTC|Z|[+-]\d\d:?\d\d))?/

/** Throws CommandError `AFD_FILE_UNREADABLE`. */
export async function readLog(file: string, sought: SoughtIds, joined: JoinedLines): Promise<void> {
  try {
    let number = 0
    for await (const line of readLines(file)) {
      number++
      const found = findCall(line, sought)
      if (found !== undefined) keep(joined, found.callId, toLogLine(line, found, { file, number }))
    }
  } catch (error) {
    throw unreadable(file, error, 'Name a file with --log that this user may read.')
  }
}

function keep(joined: JoinedLines, callId: string | undefined, line: LogLine): void {
  const lines = callId === undefined ? joined.ofTrace : (joined.byCall.get(callId) ?? [])
  if (lines.length >= linesMax) joined.omitted++
  else lines.push(line)
  if (callId !== undefined) joined.byCall.set(callId, lines)
}

interface Found {
  callId: string | undefined
  by: LogLine['by']
  at: number
}

/** A line that names a call is that call's, whatever trace it names beside it. */
function findCall(line: string, { calls, traces }: SoughtIds): Found | undefined {
  let traced: Found | undefined
  for (const { 0: text, index } of line.matchAll(idPattern)) {
    const id = text.toLowerCase()
    if (calls.has(id)) return { callId: id, by: 'call id', at: index }
    if (traces.has(id)) traced ??= { callId: traces.get(id), by: 'trace id', at: index }
  }
  return traced
}

function toLogLine(line: string, { by, at }: Found, place: { file: string; number: number }): LogLine {
  const before = line.slice(0, at).replace(/\s*(?:\/\*)?\s*(?:affidavit:)?\s*$/, '')
  const statement = /(?:statement|execute [^:]*|STATEMENT): +(.*)$/s.exec(before)?.[1]
  const text = (statement ?? line).slice(0, textCharsMax).trim()
  const time = timePattern.exec(line)?.[0]
  return { ...place, text, by, ...(time === undefined ? {} : { time }) }
}

/** One line at a time; of one that is longer than anything a log has, the beginning. */
async function* readLines(file: string): AsyncGenerator<string> {
  let rest = ''
  let isCut = false
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!isCut) yield line
      isCut = false
    }
    if (rest.length <= lineCharsMax) continue
    if (!isCut) yield rest.slice(0, lineCharsMax)
    isCut = true
    rest = ''
  }
  if (rest !== '' && !isCut) yield rest
}

import type { DatabaseSync } from 'node:sqlite'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import { type FetchedRecord, fetchCalls } from '../query/fetch.ts'
import {
  type AskedCalls,
  findByOtherId,
  findJudgement,
  type TracedCall,
  type TracedCalls,
  traceCalls,
} from '../query/sqlite/trace.ts'
import { readSize } from '../query/sqlite/write.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, exitCodes } from './failure.ts'
import { findRecord } from './find-record.ts'
import { formatNumberOf } from './format.ts'
import { type OpenSource, openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type CommandSpec, homeOption, jsonOption } from './options.ts'
import { type JoinedLines, readLog, type SoughtIds } from './trace-log.ts'
import { breakStep, listBreaks, type TraceStep } from './trace-step.ts'
import { describeCount, type TraceMatter, toSteps } from './trace-steps.ts'
import { stepLines } from './trace-text.ts'
import { describeFlow, tellFlows } from './value-flows.ts'

const spec: CommandSpec = {
  name: 'trace',
  summary: 'Prints the path from who began a call to the data: what joins each step, and every break.',
  positionals: ['ID'],
  options: {
    log: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      text: "a server's own log: lines that name a call or its trace are joined",
    },
    ...jsonOption,
    ...homeOption,
  },
  examples: [
    { command: 'affidavit trace 5d1c07aa', text: 'What led to a call, and what it led to' },
    { command: 'affidavit trace 4bf92f3577b34da6a3ce929d0e0e4736', text: 'All calls of a trace' },
    {
      command: 'affidavit trace 9876543210 --log postgresql.csv',
      text: "A pipeline's run, down to the lines of a database",
    },
  ],
  notes: [
    'ID is a call id or four or more of its first or last digits, leaf:N, a trace id, the id of a call group, or the id of a run of GitHub Actions or GitLab CI.',
    'A step is verified, attested (the kernel said so) or claimed. A BREAK says what the path lacks; it is no failure.',
    'Exits 1 where a body is missing or contradicts what the log commits to.',
  ],
}

export const trace: Command = {
  spec,
  run: async (args, context) => {
    const [id = ''] = args.positionals
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      try {
        const asked = findAsked(db, id)
        const traced = traceCalls(db, asked.leaves)
        const told = await tell({ db, source }, { asked, traced, logs: args.list('log') })
        await (args.flag('json') ? writeJson : writeText)(told, context)
        return told.isSound ? exitCodes.done : exitCodes.negative
      } finally {
        db.close()
      }
    } finally {
      source.close()
    }
  },
}

/** Exact ids of every kind go before parts of a call's. Throws CommandError as findRecord does. */
function findAsked(db: DatabaseSync, id: string): AskedCalls {
  const other = findByOtherId(db, id)
  if (other !== undefined) return other
  if (/^[0-9a-f]{32}$/i.test(id)) throw notFound(`no call has the trace id ${id}`)
  const named = findRecord(db, spec.name, id, readSize(db))
  if (named.type === 'record') throw notFound(`${id} is no half of a call`)
  return { as: 'call', id: named.place.callId, leaves: [named.place.leaf] }
}

function notFound(problem: string): CommandError {
  return new CommandError(
    'AFD_NOT_FOUND',
    problem,
    "List calls with 'affidavit query'; 'affidavit show' has other entries.",
  )
}

interface Told {
  asked: AskedCalls
  traced: TracedCalls
  steps: TraceStep[]
  /** Whether every body there should be is there, and fits. */
  isSound: boolean
}

async function tell(
  { db, source }: { db: DatabaseSync; source: OpenSource },
  { asked, traced, logs }: { asked: AskedCalls; traced: TracedCalls; logs: readonly string[] },
): Promise<Told> {
  const all = [...flatten(traced.roots)]
  const calls = await fetchCalls(
    source,
    all.flatMap(({ call }) => call.records),
  )
  const fetched = new Map(calls.map((call) => [call.place.leaf, call]))
  const joined: JoinedLines = { byCall: new Map(), ofTrace: [], omitted: 0 }
  for (const file of logs) await readLog(file, toSought(all), joined)
  const flows = new Map<number, string[]>()
  for (const { call } of all) flows.set(call.place.leaf, await flowTexts({ db, source }, call.place.leaf))
  const matter: TraceMatter = {
    flowsOf: (leaf) => flows.get(leaf) ?? [],
    fetched,
    lines: joined.byCall,
    hasLog: logs.length > 0,
    judgementOf: (digest) => toJudgement(findJudgement(db, digest)),
  }
  const isSound = calls.every(
    ({ requested, completed }) => isWhole(requested) && (completed === undefined || isWhole(completed)),
  )
  return { asked, traced, steps: [...toSteps(traced.roots, matter), ...logBreaks(joined)], isSound }
}

async function flowTexts(from: { db: DatabaseSync; source: OpenSource }, leaf: number): Promise<string[]> {
  const flows = await tellFlows(from, leaf)
  return [
    ...flows.in.map((flow) => describeFlow(flow, 'target')),
    ...flows.out.map((flow) => describeFlow(flow, 'source')),
  ]
}

function isWhole({ body }: FetchedRecord): boolean {
  return body !== 'corrupt' && body !== 'missing'
}

function* flatten(calls: readonly TracedCall[]): Generator<TracedCall> {
  for (const call of calls) {
    yield call
    yield* flatten(call.children)
  }
}

/** A trace id leads to a call only where no other call shown has it. */
function toSought(all: readonly TracedCall[]): SoughtIds {
  const traces = new Map<string, string | undefined>()
  for (const { call } of all)
    if (call.traceId !== undefined) traces.set(call.traceId, traces.has(call.traceId) ? undefined : call.place.callId)
  return { calls: new Set(all.flatMap(({ call }) => call.records.map(({ callId }) => callId))), traces }
}

function toJudgement(
  found: { leaf: number; detail: string } | undefined,
): { leaf: number; expires?: string } | undefined {
  if (found === undefined) return undefined
  const detail: unknown = JSON.parse(found.detail)
  const expires = typeof detail === 'object' && detail !== null && 'expires' in detail ? detail.expires : undefined
  return { leaf: found.leaf, ...(typeof expires === 'string' ? { expires } : {}) }
}

function logBreaks({ ofTrace, omitted }: JoinedLines): TraceStep[] {
  const lines = formatNumberOf(ofTrace.length, 'line names', 'lines name')
  const [first] = ofTrace
  return [
    ...(first === undefined
      ? []
      : [
          breakStep(
            `${lines} the trace and none of its calls, the first at ${first.file}:${first.number}: which one is not said`,
          ),
        ]),
    ...(omitted === 0
      ? []
      : [breakStep(`${formatNumberOf(omitted, 'more line', 'more lines')} of the log are not shown`)]),
  ]
}

async function writeJson({ asked, traced, steps }: Told, { stdout }: CommandContext): Promise<void> {
  const { count, housekeeping, omitted } = traced
  const found = { as: asked.as, id: asked.id }
  await stdout.write(
    `${JSON.stringify({ ...found, calls: count, housekeeping, omitted, steps, breaks: [...listBreaks(steps)] })}\n`,
  )
}

async function writeText({ asked, traced, steps }: Told, { stdout }: CommandContext): Promise<void> {
  const lines = [
    stdout.paint('bold', `${asked.as} ${toPrintable(asked.id)}`),
    stdout.paint('dim', describeCount(traced)),
    '',
    ...stepLines(steps, stdout),
    '',
    describeBreaks([...listBreaks(steps)].length),
  ]
  for (const line of lines) await stdout.write(`${line}\n`)
}

function describeBreaks(count: number): string {
  return count === 0 ? 'no break: every step is joined to the one before it' : formatNumberOf(count, 'break', 'breaks')
}

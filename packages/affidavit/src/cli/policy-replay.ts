import type { DatabaseSync } from 'node:sqlite'
import type { DecisionSection } from '@affidavit/evidence/record/decision-section'
import { RecordError } from '@affidavit/evidence/record/error'
import { openWishedReplay } from '@affidavit/sensor/cli/replay-source'
import type { OnError } from '@affidavit/sensor/policy/decision-point'
import type { Replay, Replayed } from '@affidavit/sensor/policy/replay'
import { type FetchedCall, fetchCalls } from '../query/fetch.ts'
import type { CallFilter } from '../query/filter.ts'
import { type CallPlace, iterateCalls } from '../query/sqlite/search.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { exitCodes, usageError } from './failure.ts'
import { type OpenSource, openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type Arguments, type CommandSpec, homeOption, jsonOption } from './options.ts'
import { createProgress } from './progress.ts'
import { readFilter, resolveFilter } from './query-filter.ts'
import { decisionOf, reconstruct } from './recorded-question.ts'
import {
  addTo,
  emptyTotals,
  formatTotals,
  type ReplayedCall,
  replayedLine,
  type Totals,
  toReplayedObject,
} from './replay-text.ts'

const spec: CommandSpec = {
  name: 'policy replay',
  summary: 'Shows how recorded calls would be decided by other policies.',
  positionals: ['[FILE…]'],
  options: {
    since: {
      type: 'string',
      value: 'TIME',
      text: 'required; from this time on: 15m, 2h, 7d ago, 2026-11-20, or RFC 3339 (UTC)',
    },
    until: { type: 'string', value: 'TIME', text: 'before this time' },
    config: { type: 'string', value: 'FILE', text: 'the policies that this configuration names, in place of FILE…' },
    schema: { type: 'string', value: 'FILE', text: 'Cedar schema that FILE… are checked against' },
    'on-error': { type: 'string', value: 'WORD', text: 'deny or permit: what becomes of a call that cannot be judged' },
    server: { type: 'string', multiple: true, value: 'NAME', text: 'calls to this server alone' },
    tool: { type: 'string', multiple: true, value: 'NAME', text: 'calls to this tool alone' },
    actor: { type: 'string', multiple: true, value: 'NAME', text: 'calls by this agent, or on behalf of this user' },
    ...jsonOption,
    ...homeOption,
  },
  examples: [
    { command: 'affidavit policy replay --since 7d policies/*.cedar', text: 'Before these come into force' },
    { command: 'affidavit policy replay --since 7d --config affidavit.yaml --json', text: 'For a program' },
  ],
  notes: [
    'Listed are calls that would be decided otherwise, and calls that cannot be told: then what the policies look at is not on record.',
    'Exit code 0: every call would be decided as it was; 1: one would not, or cannot be told; 2: it could not be done.',
  ],
}

/** `affidavit policy replay`: nothing is recorded and nothing changes. */
export const policyReplay: Command = {
  spec,
  run: async (args, context) => {
    const asked = readFilter(spec, args, context.now())
    if (asked.sinceMs === undefined) throw usageError(spec.name, 'policy replay needs --since')
    const replay = await openWishedReplay(readWish(args))
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      const filter = await resolveFilter(asked, { db, home })
      const form = args.flag('json') ? toReplayedObject : replayedLine
      const totals = await replayAll({ db, source, filter, replay }, form, context)
      db.close()
      const { hash } = replay
      const said = args.flag('json') ? `${JSON.stringify({ hash, ...totals })}\n` : formatTotals(totals)
      await context.stdout.write(said)
      return totals.changed + totals.undecidable === 0 ? exitCodes.done : exitCodes.negative
    } finally {
      source.close()
    }
  },
}

function readWish(args: Arguments) {
  const config = args.text('config')
  const files = args.positionals
  if ((config === undefined) === (files.length === 0))
    throw usageError(spec.name, 'policy replay takes policies, or --config that names them')
  return { config, files, schema: args.text('schema'), onError: readOnError(args.text('on-error')) }
}

function readOnError(word: string | undefined): OnError | undefined {
  if (word === undefined || word === 'deny' || word === 'permit') return word
  throw usageError(spec.name, '--on-error takes deny or permit')
}

interface Question {
  db: DatabaseSync
  source: OpenSource
  filter: CallFilter
  replay: Replay
}

const chunkCalls = 256

async function replayAll(
  question: Question,
  form: (replayed: ReplayedCall) => string,
  context: CommandContext,
): Promise<Totals> {
  const { stdout, stderr, signal } = context
  const totals = emptyTotals()
  const progress = createProgress(stderr, 'replayed')
  const places = [...iterateCalls(question.db, question.filter)]
  for (let at = 0; at < places.length && !signal.aborted && !stdout.gone.aborted; at += chunkCalls) {
    const told = await replayChunk(question, places.slice(at, at + chunkCalls))
    for (const each of told) addTo(totals, each)
    const shown = told.filter(({ isSame }) => !isSame)
    await progress.done()
    await stdout.write(shown.map(form).join(''))
    progress.report(Math.min(places.length, at + chunkCalls), places.length, 'calls')
  }
  await progress.done()
  if (signal.aborted) throw usageError(spec.name, 'policy replay was stopped before its end')
  return totals
}

async function replayChunk({ source, replay }: Question, places: readonly CallPlace[]): Promise<ReplayedCall[]> {
  const calls = await fetchCalls(source, places)
  return calls.map((call) => {
    const before = beforeOf(call)
    const after = decideAgain(replay, call)
    return { call, before, after, isSame: after === 'not_asked' || isSame(before, after) }
  })
}

/** A record that somebody else wrote may hold anything. */
function decideAgain(replay: Replay, { requested }: FetchedCall): Replayed | 'not_asked' {
  const unknown = (lacks: string): Replayed => ({ decision: 'undecidable', policies: [], lacks: [lacks] })
  try {
    const asked = reconstruct(requested)
    if (asked.is === 'not_asked') return 'not_asked'
    return asked.is === 'unknown' ? unknown(asked.lacks) : replay.replay(asked.question)
  } catch (error) {
    if (error instanceof RecordError) return unknown('record')
    throw error
  }
}

function beforeOf({ requested }: FetchedCall): ReplayedCall['before'] {
  const { disposition, mode } = requested.header.decision
  const section = readDecision(requested.sections.decision)
  const { determining = [], approval } = section ?? {}
  // A call that was approved needed an approval; so did one that waited for it.
  const isAsking = approval !== undefined
  const decision = isAsking ? 'approval_required' : disposition
  return { decision, mode, policies: determining, ...(approval === undefined ? {} : { approval: approval.state }) }
}

function readDecision(bytes: Uint8Array | undefined): DecisionSection | undefined {
  try {
    return decisionOf(bytes)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}

/**
 * Where nothing was decided, calls went on. Where no approvals were configured, a policy that asks for one denied: whether they
 * are by now, policies do not say.
 */
function isSame({ decision, policies, approval }: ReplayedCall['before'], after: Replayed): boolean {
  if (decision === 'denied' && after.decision === 'approval_required' && approval === undefined)
    return policies.toSorted().join('\n') === after.policies.toSorted().join('\n')
  return (decision === 'undecided' ? 'granted' : decision) === after.decision
}

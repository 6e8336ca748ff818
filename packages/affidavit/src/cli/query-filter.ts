import type { DatabaseSync } from 'node:sqlite'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import { vantages } from '@affidavit/evidence/record/kinds'
import { hmacSha256, sha256 } from '@affidavit/sensor/crypto/node'
import type { Home } from '@affidavit/sensor/durable/home'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { IndexError } from '../query/error.ts'
import { type CallFilter, parseOutcomeWord } from '../query/filter.ts'
import { priorities } from '../query/priority.ts'
import { findSessions } from '../query/sqlite/search.ts'
import { CommandError, usageError } from './failure.ts'
import { formatNumberOf } from './format.ts'
import type { Arguments, CommandSpec } from './options.ts'
import { parseMoment } from './times.ts'

const abbreviationMin = 4
const listed = 5

/** What the options ask for, as written. Throws CommandError `AFD_USAGE`. */
export function readFilter(spec: CommandSpec, args: Arguments, nowMs: number): CallFilter {
  const moment = (name: string) => {
    const text = args.text(name)
    return text === undefined ? undefined : parseMoment(spec, name, text, nowMs)
  }
  const sinceMs = moment('since')
  const untilMs = moment('until')
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs >= untilMs)
    throw usageError(spec.name, '--since is not before --until')
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...readVantage(spec, args.text('vantage')),
    ...readPriority(spec, args.text('priority')),
    session: args.list('session'),
    server: args.list('server'),
    tool: args.list('tool'),
    actor: args.list('actor'),
    credential: args.list('credential'),
    classification: args.list('classification'),
    outcome: args.list('outcome').map((word) => readOutcome(spec, word)),
  }
}

function readVantage(spec: CommandSpec, word: string | undefined): Pick<CallFilter, 'vantage'> {
  if (word === undefined) return {}
  const vantage = [...vantages, 'all' as const].find((known) => known === word)
  if (vantage === undefined) throw usageError(spec.name, `--vantage is ${vantages.join(', ')} or all, not '${word}'`)
  return { vantage }
}

function readPriority(spec: CommandSpec, word: string | undefined): Pick<CallFilter, 'priority'> {
  if (word === undefined) return {}
  const priority = priorities.find((known) => known === word)
  if (priority === undefined) throw usageError(spec.name, `--priority is ${priorities.join(', ')}, not '${word}'`)
  return { priority }
}

function readOutcome(spec: CommandSpec, word: string) {
  try {
    return parseOutcomeWord(word)
  } catch (error) {
    if (error instanceof IndexError) throw usageError(spec.name, error.message)
    throw error
  }
}

/**
 * The same question in the words of this home: abbreviated sessions whole, and exact names of tools as digests too, for
 * that is what the log has of a tool its server never listed. Throws CommandError `AFD_AMBIGUOUS_ID`.
 */
export async function resolveFilter(
  asked: CallFilter,
  { db, home }: { db: DatabaseSync; home: Home },
): Promise<CallFilter> {
  const session = (asked.session ?? []).map((word) => resolveSession(db, word))
  const names = (asked.tool ?? []).filter((word) => !word.includes('*'))
  return { ...asked, session, toolDigest: names.length === 0 ? [] : await digestNames(home, names) }
}

function resolveSession(db: DatabaseSync, word: string): string {
  if (word.includes('*') || word.length < abbreviationMin) return word
  const found = findSessions(db, word, listed + 1)
  if (found.length <= 1) return found[0] ?? word
  const more = found.length > listed ? ', …' : ''
  const problem = `'${word}' fits several sessions: ${found.slice(0, listed).join(', ')}${more}`
  throw new CommandError('AFD_AMBIGUOUS_ID', problem, "Give more characters, or '*' for any text.")
}

/** None where the key is not here: then no name can be compared. Only reads; making the key is the sensor's part. */
async function digestNames(home: Home, names: readonly string[]): Promise<string[]> {
  if ((await systemLayer.readFile(home.paths.correlationKey)) === undefined) return []
  const { key } = await home.correlationKey()
  const correlation = toCorrelationKey(sha256, key)
  return names.map((name) => digestValue(hmacSha256, correlation, name))
}

export function describeIncomparable(count: number): string {
  if (count === 0) return ''
  const calls = formatNumberOf(count, 'call', 'calls')
  const why = 'the log has only digests of names that no server listed'
  return `${calls} to unlisted tools could not be compared with --tool: ${why}. Give the exact name, or --tool '*'\n`
}

import { type Outcome, outcomes, type ResponseStatus, type Vantage } from '@affidavit/evidence/record/kinds'
import { IndexError } from './error.ts'
import { type Priority, rankOf } from './priority.ts'

/**
 * A question about calls. Several values of one name mean any of them; several names mean all of them. A call seen from
 * several vantages fits where one of its records does; its time and its outcome are those of the record that counts.
 */
export interface CallFilter {
  /** Absent: each call once, by the record that counts. Else its records at this vantage, or all, each for itself. */
  vantage?: Vantage | 'all'
  /** First millisecond that counts and first one that does not, on the `time` of the `requested` record. */
  sinceMs?: number
  untilMs?: number
  /** Patterns may hold `*` for any text; without one they match exactly. */
  session?: readonly string[]
  server?: readonly string[]
  /** `*` alone means every call of a tool. */
  tool?: readonly string[]
  /** Keyed digests of tool names: what the log has of a tool that its server never listed. Either matches. */
  toolDigest?: readonly string[]
  /** Matches name or id of the agent or the user. */
  actor?: readonly string[]
  /** References that the collector gave credentials: `c_` and 16 hex digits. */
  credential?: readonly string[]
  /** Matches the level or one of the tags. */
  classification?: readonly string[]
  /** Outcomes, response statuses, or `open` for calls without an outcome. */
  outcome?: readonly OutcomeWord[]
  /** At least this. */
  priority?: Priority
}

export type OutcomeWord = Outcome | ResponseStatus | 'open'
const statusWords: readonly ResponseStatus[] = ['success', 'failure', 'error']
export const outcomeWords: readonly OutcomeWord[] = [...new Set<OutcomeWord>([...outcomes, ...statusWords, 'open'])]

/** Throws IndexError `bad_filter`. */
export function parseOutcomeWord(word: string): OutcomeWord {
  const known = outcomeWords.find((candidate) => candidate === word)
  if (known === undefined) {
    throw new IndexError('bad_filter', `no outcome is called '${word}'; there are ${outcomeWords.join(', ')}`)
  }
  return known
}

export interface Condition {
  sql: string
  values: (string | number)[]
}

/** WHERE clause over `calls`; all values are bound, none is part of the text. */
export function toCondition(filter: CallFilter): Condition {
  const [when, what] = [allOf(whenAndHow(filter)), allOf(whoAndWhat(filter))]
  if (filter.vantage === 'all') return allOf([when, what])
  if (filter.vantage !== undefined) return allOf([{ sql: 'vantage = ?', values: [filter.vantage] }, when, what])
  const counts = { sql: 'countedAt IS NULL', values: [] }
  if (what.sql === always.sql) return allOf([counts, when])
  const others = {
    sql: `leaf IN (SELECT countedAt FROM calls WHERE countedAt IS NOT NULL AND ${what.sql})`,
    values: what.values,
  }
  return allOf([counts, when, anyOf([what, others])])
}

const always: Condition = { sql: '1', values: [] }

function whenAndHow({ sinceMs, untilMs, outcome = [] }: CallFilter): Condition[] {
  return [
    ...(sinceMs === undefined ? [] : [{ sql: 'time >= ?', values: [sinceMs] }]),
    ...(untilMs === undefined ? [] : [{ sql: 'time < ?', values: [untilMs] }]),
    ...(outcome.length === 0 ? [] : [anyOf(outcome.map(matchOutcome))]),
  ]
}

function whoAndWhat(filter: CallFilter): Condition[] {
  const anyWord = (words: readonly string[] | undefined, one: (word: string) => Condition) =>
    words === undefined || words.length === 0 ? [] : [anyOf(words.map(one))]
  const anyColumn = (columns: readonly string[]) => (word: string) =>
    anyOf(columns.map((column) => matchText(column, word)))
  const tools = [...(filter.tool ?? []).map(matchTool), ...(filter.toolDigest ?? []).map(matchToolDigest)]
  return [
    ...anyWord(filter.session, anyColumn(['session'])),
    ...anyWord(filter.server, anyColumn(['server', 'serverName', 'completedServerName'])),
    ...(tools.length === 0 ? [] : [anyOf(tools)]),
    ...anyWord(filter.actor, anyColumn(['agent', 'agentId', 'user', 'userId'])),
    ...anyWord(filter.credential, anyColumn(['credential'])),
    ...anyWord(filter.classification, matchClassification),
    ...(filter.priority === undefined || filter.priority === 'low'
      ? []
      : [{ sql: 'priority >= ?', values: [rankOf(filter.priority)] }]),
  ]
}

function allOf(conditions: Condition[]): Condition {
  const parts = conditions.filter(({ sql }) => sql !== always.sql)
  if (parts.length === 0) return always
  return { sql: parts.map(({ sql }) => sql).join(' AND '), values: parts.flatMap(({ values }) => values) }
}

export function anyOf(conditions: Condition[]): Condition {
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
    values: conditions.flatMap(({ values }) => values),
  }
}

/** GLOB has more wildcards than we promise; all but `*` are taken literally. */
export function matchText(column: string, word: string): Condition {
  if (!word.includes('*')) return { sql: `${column} = ?`, values: [word] }
  return { sql: `${column} GLOB ?`, values: [word.replaceAll(/[[\]?]/g, (character) => `[${character}]`)] }
}

/** Calls of tools that were never listed have no name to compare, and are calls of some tool nevertheless. */
function matchTool(word: string): Condition {
  return /^\*+$/.test(word)
    ? { sql: '(tool IS NOT NULL OR toolDigest IS NOT NULL)', values: [] }
    : matchText('tool', word)
}

function matchToolDigest(digest: string): Condition {
  return { sql: 'toolDigest = ?', values: [digest] }
}

function matchClassification(word: string): Condition {
  const tag = matchText('tag.value', word)
  // What the result held may change the classification the request was given.
  const level = matchText('coalesce(completedClassification, classification)', word)
  return {
    sql: `(${level.sql} OR EXISTS (SELECT 1 FROM json_each(coalesce(completedTags, tags)) AS tag WHERE ${tag.sql}))`,
    values: [...level.values, ...tag.values],
  }
}

/** `success` is an outcome and a status: both mean the same calls. */
function matchOutcome(word: OutcomeWord): Condition {
  if (word === 'open') return { sql: 'outcome IS NULL', values: [] }
  const isStatus = statusWords.some((status) => status === word)
  return { sql: isStatus ? 'status = ?' : 'outcome = ?', values: [word] }
}

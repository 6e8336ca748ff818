import type {
  SqlReading,
  SqlStatement,
  UnparsableStatement,
} from '../../../packages/sensor/src/classify/sql/reading.ts'
import type { Example, Expected } from './corpus.ts'

export const aspects = ['tables', 'columns', 'verb', 'effect', 'bound', 'functions', 'unseen'] as const
export type Aspect = (typeof aspects)[number]

const same = (got: readonly string[], wanted: readonly string[]) =>
  JSON.stringify([...new Set(got)].sort()) === JSON.stringify([...new Set(wanted)].sort())

const asLists = (statement: SqlStatement) => ({
  tables: statement.tables.map((table) => (table.access === 'write' ? `${table.name}!` : table.name)),
  columns: statement.columns.map((column) => `${column.table ?? '?'}.${column.name}`),
  functions: statement.functions,
  unseen: statement.unseen,
})

type Verdicts = Partial<Record<Aspect, boolean>>

/** One statement against what was written down: an aspect that is not judged is absent. */
function judgeStatement(got: SqlStatement | UnparsableStatement | undefined, wanted: Expected): Verdicts {
  if (wanted.reason !== undefined) {
    const isRight = got?.kind === 'unparsable' && got.reason === wanted.reason
    return { tables: isRight, verb: isRight && got.verb === wanted.verb }
  }
  const lists = got?.kind === 'statement' ? asLists(got) : undefined
  const verdicts: Verdicts = {
    verb: got?.verb === wanted.verb,
    effect: got?.effect === wanted.effect,
    bound: got?.kind === 'statement' && got.bound === wanted.bound,
  }
  for (const key of ['tables', 'columns', 'functions', 'unseen'] as const) {
    const list = wanted[key]
    if (list !== undefined) verdicts[key] = lists !== undefined && same(lists[key], list)
  }
  return verdicts
}

export interface Judged {
  verdicts: Verdicts
  got: SqlStatement | UnparsableStatement | undefined
  wanted: Expected
}

/** Every statement of an example; one that is read beyond those written down spoils the last. */
export function judge(example: Example, reading: SqlReading): Judged[] {
  const hasMore = reading.statements.length > example.expected.length
  return example.expected.map((wanted, i) => {
    const got = reading.statements[i]
    const verdicts = judgeStatement(got, wanted)
    const isSpoilt = hasMore && i === example.expected.length - 1
    return {
      verdicts: isSpoilt ? Object.fromEntries(Object.keys(verdicts).map((key) => [key, false])) : verdicts,
      got,
      wanted,
    }
  })
}

import type { Statement } from '@affidavit/evidence/record/resources-section'
import type { SqlReading, SqlStatement, UnparsableStatement } from '../sql/reading.ts'
import type { Extracted, Named } from './named.ts'
import { createIsSchemaName } from './schema-names.ts'

/** What a reading of SQL comes to in a record: tables, columns and functions by name, and what each statement does. */
export function toExtracted({ dialect, statements, unread }: SqlReading, text: string): Extracted {
  const problem = problemOf(statements, unread)
  const named = statements.flatMap((statement) => (statement.kind === 'statement' ? namesOf(statement) : []))
  let isSchemaName: ReturnType<typeof createIsSchemaName> | undefined
  const mayBeValue = ({ type, name }: Named) => {
    isSchemaName ??= createIsSchemaName(dialect, text)
    return !isSchemaName(type, name)
  }
  return {
    named: named.map((each) => ({ ...each, mayBeValue: () => mayBeValue(each) })),
    effects: [...new Set(statements.map(({ effect }) => effect)), ...(unread > 0 ? (['unknown'] as const) : [])],
    statements: statements.map((statement) => describe(dialect, statement)),
    unreadStatements: unread,
    ...(problem === undefined ? {} : { problem }),
  }
}

/** Why there may be more than is named; the first that holds. */
function problemOf(statements: SqlReading['statements'], unread: number): string | undefined {
  if (statements.some(({ kind }) => kind === 'unparsable')) return 'sql_unparsable'
  if (unread > 0) return 'sql_unread'
  const read = statements.filter((statement) => statement.kind === 'statement')
  if (read.some(({ unseen }) => unseen.length > 0)) return 'sql_unseen'
  return read.some(({ unlisted }) => unlisted > 0) ? 'sql_unlisted' : undefined
}

function namesOf({ tables, columns, functions }: SqlStatement): Named[] {
  return [
    ...tables.map(({ name, access }): Named => ({ type: 'table', name, access })),
    ...columns.map(
      ({ table, name }): Named => ({ type: 'column', name: table === undefined ? name : `${table}.${name}` }),
    ),
    ...functions.map((name): Named => ({ type: 'other', name: `function:${name}` })),
  ]
}

function describe(dialect: string, statement: SqlStatement | UnparsableStatement): Omit<Statement, 'source'> {
  const { verb, effect } = statement
  const said = { dialect, ...(verb === undefined ? {} : { verb }), effect }
  if (statement.kind === 'unparsable') return { ...said, unparsable: statement.reason.replaceAll('-', '_'), unseen: [] }
  return { ...said, bound: statement.bound, unseen: [...statement.unseen] }
}

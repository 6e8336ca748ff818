import type { Resource, Statement } from '@affidavit/evidence/record/resources-section'
import type { Named } from './extract/named.ts'
import { partsOf } from './extract/schema-names.ts'
import { matchNames } from './glob.ts'

/** Whether a condition holds for all of what was found, for some of it, or for none. */
export type Match = 'all' | 'some' | 'none'

/** What conditions on statements look at. */
export interface StatementsRead {
  resources: readonly Pick<Named, 'type' | 'name' | 'access'>[]
  statements: readonly Pick<Statement, 'verb' | 'bound' | 'effect' | 'unparsable'>[]
  /** Something was not read, and may be what is asked for. */
  isPartial: boolean
}

type Found = StatementsRead['resources'][number]

/** A condition on tables or columns: of each of them, and of all that a call names. */
export interface NameCondition {
  type: 'table' | 'column'
  /** `some`: it may be the one that is meant. */
  matchOne: (found: Found) => Match
  match: (read: StatementsRead) => Match
}

/** `access`: only where the statement reads or writes it. */
export function matchTables(globs: readonly string[], access: Resource['access']): NameCondition {
  const match = matchQualified(globs)
  const matchOne = ({ type, name, access: found }: Found): Match => {
    if (type === 'column') return name.includes('.') ? match(name.slice(0, name.lastIndexOf('.'))) : 'none'
    return type === 'table' && (access === undefined || found === access) ? match(name) : 'none'
  }
  return { type: 'table', matchOne, match: overAll('table', matchOne) }
}

export function matchColumns(globs: readonly string[]): NameCondition {
  const match = matchQualified(globs)
  // All columns of a table may be the one, if the table is.
  const inAny = matchQualified(globs.map((glob) => glob.replace(/[^.]+$/, '*')))
  const matchOne = ({ type, name }: Found): Match => {
    if (type !== 'column') return 'none'
    if (name === '*') return 'some'
    if (!name.endsWith('.*')) return match(name)
    return inAny(name) === 'none' ? 'none' : 'some'
  }
  return { type: 'column', matchOne, match: overAll('column', matchOne) }
}

/** Of a statement: one of the verbs, bounds and effects, where any are given. */
export interface StatementAsked {
  verb?: readonly string[] | undefined
  bound?: readonly string[] | undefined
  effect?: readonly string[] | undefined
}

export function matchStatements({ verb, bound, effect }: StatementAsked): (read: StatementsRead) => Match {
  const isOne = (asked: readonly string[] | undefined, found: string | undefined) =>
    asked === undefined || (found !== undefined && asked.includes(found))
  return (read) => {
    const matches = read.statements.map(
      (each): Match =>
        isOne(verb, each.verb) && isOne(bound, each.bound) && isOne(effect, each.effect) ? 'all' : 'none',
    )
    return sumUp(matches, read)
  }
}

function overAll(type: Found['type'], matchOne: (found: Found) => Match): (read: StatementsRead) => Match {
  return (read) => sumUp(read.resources.filter((each) => each.type === type).map(matchOne), read)
}

function sumUp(matches: readonly Match[], { isPartial }: StatementsRead): Match {
  if (matches.every((match) => match === 'none')) return isPartial ? 'some' : 'none'
  return !isPartial && matches.every((match) => match === 'all') ? 'all' : 'some'
}

/**
 * Names of a database have parts, the last of which is the thing itself. A glob with fewer parts than the name is about the thing
 * wherever it lies. One with more may be about it, as nobody knows in which schema an unqualified name is looked up; but not where
 * it names a schema only, which would be every table.
 */
function matchQualified(globs: readonly string[]): (name: string) => Match {
  const compiled = globs.map((glob) => {
    const parts = partsOf(inOneCase(glob))
    return parts.map((part) => ({ matches: matchNames([part]), isAny: part === '*' }))
  })
  return (name) => {
    const found = partsOf(inOneCase(name))
    const fits = compiled.filter((parts) => {
      const tail = parts.slice(-found.length)
      if (parts.length > found.length && tail.every(({ isAny }) => isAny)) return false
      return tail.every(({ matches }, i) => matches(found[found.length - tail.length + i] ?? ''))
    })
    if (fits.length === 0) return 'none'
    return fits.some(({ length }) => length <= found.length) ? 'all' : 'some'
  }
}

/** A database that tells `Users` from `users` is rare, and one that does not is misled by nobody. */
function inOneCase(name: string): string {
  return name.toLowerCase()
}

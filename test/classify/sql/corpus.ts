import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SqlDialect, sqlDialects } from '../../../packages/sensor/src/classify/sql/reading.ts'

/** The corpus in corpus/*.txt; its README says how an example is written. */
export interface Expected {
  verb: string
  effect: string
  bound: string
  tables?: string[]
  columns?: string[]
  functions?: string[]
  unseen?: string[]
  /** Set where the statement is to be said to be unparsable. */
  reason?: string
}

export interface Example {
  dialect: SqlDialect
  page: string
  text: string
  expected: Expected[]
}

/** One part of a line: a sorted list, or undefined where it is not judged. */
const listOf = (part: string | undefined): string[] | undefined =>
  part?.trim() === '~'
    ? undefined
    : (part ?? '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .sort()

function parseExpected(line: string): Expected {
  if (line.startsWith('@! ')) {
    const [verb = '', reason = ''] = line.slice(3).split(' ')
    return { verb, reason, effect: '', bound: '' }
  }
  const [head = '', ...parts] = line.slice(2).split('|')
  const words = head.trim().split(' ')
  const [effect = '', bound = ''] = words.slice(-2)
  const lists = {
    tables: listOf(parts[0]),
    columns: listOf(parts[1]),
    functions: listOf(parts[2]),
    unseen: listOf(parts[3]),
  }
  return {
    verb: words.slice(0, -2).join(' '),
    effect,
    bound: bound === '-' ? 'none' : bound,
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined)),
  }
}

export function readCorpus(): Example[] {
  const folder = join(import.meta.dirname, 'corpus')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .flatMap((file) => {
      const dialect = sqlDialects.find((known) => `${known}.txt` === file)
      if (dialect === undefined) throw new Error(`no dialect is called ${file}`)
      const blocks = readFileSync(join(folder, file), 'utf8')
        .split(/^---- /m)
        .slice(1)
      return blocks.map((block): Example => {
        const [page = '', ...lines] = block.trimEnd().split('\n')
        const marks = lines.filter((line) => line.startsWith('@ ') || line.startsWith('@! '))
        const text = lines.slice(marks.length).join('\n')
        return { dialect, page, text, expected: marks.map(parseExpected) }
      })
    })
}

import type { SqlDialect } from '../reading.ts'
import type { Token } from '../tokens.ts'

/** A statement as the parser is given it, with what was taken out of it. */
export interface Prepared {
  text: string
  /** INTO OUTFILE and INTO DUMPFILE write a file on the server. */
  writesFile: boolean
  /** A TOP that the parser does not know of. */
  isLimited: boolean
  /** OPENROWSET with the text of a query. */
  sendsQuery: boolean
}

interface Work {
  tokens: Token[]
  writesFile: boolean
  isLimited: boolean
  sendsQuery: boolean
}

const outfileWords = new Set([
  'FIELDS',
  'COLUMNS',
  'TERMINATED',
  'BY',
  'OPTIONALLY',
  'ENCLOSED',
  'ESCAPED',
  'LINES',
  'STARTING',
  'CHARACTER',
  'CHARSET',
])

/** SELECT … INTO OUTFILE 'x' [options], INTO @a, @b: clauses of MySQL that stand before FROM or at the end. */
function cutInto(work: Work): void {
  const at = work.tokens.findIndex((token, i) => {
    const next = work.tokens[i + 1]?.text ?? ''
    return (
      token.text === 'INTO' &&
      token.kind === 'word' &&
      (next === 'OUTFILE' || next === 'DUMPFILE' || next.startsWith('@'))
    )
  })
  if (at === -1) return
  const isFile = !work.tokens[at + 1]?.text.startsWith('@')
  let end = at + 1
  const belongs = (token: Token) => {
    if (!isFile) return token.text.startsWith('@') || token.text === ','
    const previous = work.tokens[end - 1]
    if (token.kind === 'string') return true
    const isCharset = previous?.text === 'CHARACTER' || previous?.text === 'SET' || previous?.text === 'CHARSET'
    return token.kind === 'word' && (end === at + 1 || outfileWords.has(token.text) || isCharset)
  }
  for (let token = work.tokens[end]; token !== undefined && belongs(token); token = work.tokens[end]) end++
  work.tokens.splice(at, end - at)
  work.writesFile ||= isFile
}

const modifiers = new Set(['LOW_PRIORITY', 'QUICK', 'IGNORE'])

/** UPDATE LOW_PRIORITY IGNORE t, DELETE QUICK FROM t: the parser would take them for names. */
function cutModifiers(work: Work): void {
  const at = work.tokens.findIndex(
    (token) => token.kind === 'word' && (token.text === 'UPDATE' || token.text === 'DELETE'),
  )
  while (at !== -1 && work.tokens[at + 1]?.kind === 'word' && modifiers.has(work.tokens[at + 1]?.text ?? ''))
    work.tokens.splice(at + 1, 1)
}

/** UPDATE TOP (n) t, DELETE TOP (n) FROM t, INSERT TOP (n) INTO t. */
function cutTop(work: Work): void {
  const at = work.tokens.findIndex((token) => token.text === 'TOP' && token.depth === 0)
  const before = work.tokens[at - 1]?.text ?? ''
  if (at < 1 || !['UPDATE', 'DELETE', 'INSERT', 'MERGE'].includes(before) || work.tokens[at + 1]?.text !== '(') return
  const close = work.tokens.findIndex((token, i) => i > at && token.text === ')' && token.depth === 1)
  if (close === -1) return
  const isPercent = work.tokens[close + 1]?.text === 'PERCENT'
  work.tokens.splice(at, close + (isPercent ? 2 : 1) - at)
  work.isLimited = true
}

/** DELETE FROM x FROM t AS x: the parser takes the form without the first FROM. */
function cutFrom(work: Work): void {
  const at = work.tokens.findIndex((token) => token.text === 'DELETE' && token.kind === 'word')
  const froms = work.tokens.filter((token) => token.text === 'FROM' && token.kind === 'word' && token.depth === 0)
  if (at !== -1 && froms.length === 2 && work.tokens[at + 1]?.text === 'FROM') work.tokens.splice(at + 1, 1)
}

const mark = (text: string, near: Token): Token => ({ ...near, kind: 'word', start: -1, text })

/** TABLE t is SELECT * FROM t; CREATE TABLE t SELECT … has an AS that is not written. */
function spellOut(work: Work): void {
  const [first] = work.tokens
  if (first?.text === 'TABLE') work.tokens.splice(0, 1, mark('SELECT * FROM', first))
  if (first?.text !== 'CREATE') return
  const at = work.tokens.findIndex((token) => token.text === 'SELECT' && token.kind === 'word' && token.depth === 0)
  const select = work.tokens[at]
  if (select !== undefined && work.tokens[at - 1]?.text !== 'AS') work.tokens.splice(at, 0, mark('AS', select))
}

const afterInsert = new Set(['INTO', 'OVERWRITE', 'OR'])
const insertFlags = new Set(['LOW_PRIORITY', 'DELAYED', 'HIGH_PRIORITY', 'IGNORE'])

/** INTO may be left out in most dialects; the parser wants it. */
function writeInto(work: Work): void {
  const at = work.tokens.findIndex(
    (token, i) => token.text === 'INSERT' && token.kind === 'word' && work.tokens[i - 1]?.text !== 'THEN',
  )
  let next = at + 1
  while (insertFlags.has(work.tokens[next]?.text ?? '')) next++
  const token = work.tokens[next]
  if (at !== -1 && token !== undefined && !afterInsert.has(token.text)) work.tokens.splice(next, 0, mark('INTO', token))
}

/** SQLite: numbers of parameters, OR clauses of UPDATE, options behind a table's definition. */
function cutSqlite(work: Work): void {
  work.tokens = work.tokens.filter(
    (token, i) =>
      !(token.kind === 'number' && work.tokens[i - 1]?.text === '?' && work.tokens[i - 1]?.end === token.start),
  )
  const at = work.tokens.findIndex((token) => token.text === 'UPDATE' && token.depth === 0)
  if (at !== -1 && work.tokens[at + 1]?.text === 'OR') work.tokens.splice(at + 1, 2)
  if (work.tokens[0]?.text !== 'CREATE') return
  const options = new Set(['STRICT', 'WITHOUT', 'ROWID', ','])
  while (work.tokens.at(-1)?.depth === 0 && options.has(work.tokens.at(-1)?.text ?? '')) work.tokens.pop()
}

/** FOR SYSTEM_TIME AS OF constant: when the table is read, not what of it (BigQuery). */
function cutSystemTime(work: Work): void {
  const at = work.tokens.findIndex((token, i) => token.text === 'FOR' && work.tokens[i + 1]?.text === 'SYSTEM_TIME')
  if (at === -1 || work.tokens[at + 3]?.text !== 'OF') return
  let end = at + 5
  const open = work.tokens[end]
  if (open?.text === '(')
    end = work.tokens.findIndex((token, i) => i > end && token.text === ')' && token.depth === open.depth + 1) + 1
  if (end > at) work.tokens.splice(at, end - at)
  cutSystemTime(work)
}

/** OPENROWSET(BULK 'file', …): the word is no argument to the parser. Without it a query goes to another server. */
function cutBulk(work: Work): void {
  work.sendsQuery = work.tokens.some((token, i) => token.text === 'OPENROWSET' && work.tokens[i + 2]?.text !== 'BULK')
  work.tokens = work.tokens.filter(
    (token, i) => !(token.text === 'BULK' && token.kind === 'word' && work.tokens[i - 2]?.text === 'OPENROWSET'),
  )
}

/**
 * Comments and what the parser does not take are left out, by lexemes: MySQL's live comments become what MySQL reads.
 * Lexemes that touched still do.
 */
export function prepare(text: string, tokens: readonly Token[], dialect: SqlDialect): Prepared {
  const work: Work = { tokens: [...tokens], writesFile: false, isLimited: false, sendsQuery: false }
  if (dialect === 'mysql' || dialect === 'mariadb') {
    cutInto(work)
    cutModifiers(work)
    spellOut(work)
  }
  writeInto(work)
  if (dialect === 'sqlite') cutSqlite(work)
  if (dialect === 'bigquery') cutSystemTime(work)
  if (dialect === 'tsql') {
    cutTop(work)
    cutFrom(work)
    cutBulk(work)
  }
  const parts: string[] = []
  let end = -1
  for (const token of work.tokens) {
    // Two signs in a row would be a comment to the parser: MySQL reads `1 --x` as 1 - -x.
    const isSigns = token.text === '-' && parts.at(-1) === '-'
    if (token.start !== end || token.start === -1 || isSigns) parts.push(' ')
    parts.push(token.start === -1 ? token.text : text.slice(token.start, token.end))
    end = token.end
    if (token.start === -1) end = -2
  }
  return {
    text: parts.join('').trim(),
    writesFile: work.writesFile,
    isLimited: work.isLimited,
    sendsQuery: work.sendsQuery,
  }
}

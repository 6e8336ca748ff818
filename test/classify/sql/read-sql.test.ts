import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadSqlExtractor } from '../../../packages/sensor/src/classify/sql/load.ts'
import { type SqlDialect, type SqlReading, sqlDialects } from '../../../packages/sensor/src/classify/sql/reading.ts'
import { readCorpus } from './corpus.ts'
import { type Aspect, judge } from './score.ts'

const corpus = readCorpus()
const root = join(import.meta.dirname, '../../..')
let extract: (text: string, dialect: SqlDialect) => SqlReading
beforeAll(async () => {
  extract = await loadSqlExtractor()
})

/** A reading in a line per statement: verb, effect and bound, tables with `!` where written. */
const told = (dialect: SqlDialect, text: string) =>
  extract(text, dialect).statements.map((statement) =>
    statement.kind === 'unparsable'
      ? `unparsable ${statement.reason} ${statement.verb ?? '–'} ${statement.effect}`
      : `${statement.verb} ${statement.effect} ${statement.bound} ${statement.tables.map((table) => `${table.name}${table.access === 'write' ? '!' : ''}`)}`.trim(),
  )

describe('the corpus', () => {
  it('is large enough, and more than half of it follows documentation [SQ-2]', () => {
    const statements = corpus.flatMap((example) => example.expected.map(() => example.page))
    expect(statements.length).toBeGreaterThanOrEqual(300)
    expect(statements.filter((page) => page !== 'own').length).toBeGreaterThanOrEqual(statements.length / 2)
  })

  it.each(['tables', 'columns', 'verb', 'effect', 'bound', 'functions', 'unseen'] satisfies Aspect[])(
    '%s are right where they should be on 98 of 100 at least [SQ-1]',
    (aspect) => {
      const verdicts = corpus
        .flatMap((example) => judge(example, extract(example.text, example.dialect)))
        .map((judged) => judged.verdicts[aspect])
        .filter((verdict) => verdict !== undefined)
      expect(verdicts.filter((verdict) => verdict).length / verdicts.length).toBeGreaterThanOrEqual(0.98)
    },
  )
})

describe('what cannot be read', () => {
  it.each([
    ['postgresql', 'SELEC * FROM t', ['unparsable syntax selec unknown']],
    ['mysql', 'SELECT a FROM', ['unparsable syntax select unknown']],
    ['tsql', 'IF 1 = 1 DELETE FROM t', ['unparsable syntax if unknown']],
    ['bigquery', 'FROM t |> WHERE a > 1', ['unparsable syntax from unknown']],
    ['snowflake', 'UNDROP TABLE x', ['unparsable syntax undrop write']],
    ['sqlite', "SELECT 'open", ['unparsable syntax select unknown']],
    ['mysql', 'SELECT a FROM t; nonsense here; DELETE FROM u', ['select read unbounded t', 'unparsable syntax nonsense unknown', 'delete destructive unbounded u!']],
  ] satisfies [SqlDialect, string, string[]][])('%s: %s [SQ-3]', (dialect, text, lines) => expect(told(dialect, text)).toEqual(lines)) // biome-ignore format: a table

  it('is never said to only read, whatever its verb [SQ-3]', () => {
    const verbs = ['select', 'with', 'explain', 'show', 'set', 'declare', 'pragma', 'begin', 'values']
    for (const dialect of sqlDialects)
      for (const verb of verbs)
        for (const statement of extract(`${verb} ) broken (`, dialect).statements)
          if (statement.kind === 'unparsable') expect(statement.effect).not.toBe('read')
  })
})

describe('what a database would run is not hidden', () => {
  it.each([
    ['mysql', 'SELECT 1 /*!50000 UNION SELECT password FROM mysql.user */', ['select read unbounded mysql.user']],
    ['mysql', 'SELECT 1 --x\n, a FROM s', ['select read unbounded s']],
    ['mysql', 'DELETE QUICK FROM t', ['delete destructive unbounded t!']],
    ['mysql', "SELECT '\\'; DROP TABLE x; -- '", ['select read none']],
    ['postgresql', "SELECT '\\'; DROP TABLE x; -- '", ['select read none', 'drop destructive none x!']],
    ['postgresql', 'EXPLAIN ANALYZE DELETE FROM t', ['explain destructive unbounded t!']],
    ['postgresql', 'WITH d AS (DELETE FROM t RETURNING *) SELECT 1', ['select destructive unbounded t!']],
    ['postgresql', 'SELECT * FROM t WHERE a = :name AND b = %s LIMIT ?', ['select read bounded t']],
    ['snowflake', "SELECT 1 // '\n; DROP TABLE x; //'", ['select read none', 'drop destructive none X!']],
    ['tsql', 'SELECT a FROM t SELECT b FROM u DELETE FROM v', ['select read unbounded t', 'select read unbounded u', 'delete destructive unbounded v!']],
    ['tsql', 'GRANT SELECT ON t TO x DROP TABLE y', ['grant write none t!', 'drop destructive none y!']],
    ['tsql', "BACKUP DATABASE a TO DISK = 'b' DROP TABLE y", ['backup external-send none', 'drop destructive none y!']],
    ['tsql', "EXEC ('x') DELETE FROM y", ['execute unknown none', 'delete destructive unbounded y!']],
    ['tsql', 'SET @a = 1 ALTER TABLE t DROP COLUMN c', ['set read none', 'alter destructive none t!']],
    ['tsql', 'TRUNCATE TABLE t DROP TABLE u', ['truncate destructive unbounded t!', 'drop destructive none u!']],
    ['tsql', 'INSERT INTO t EXEC p DROP TABLE y', ['insert write unknown t!', 'drop destructive none y!']],
    ['tsql', 'SELECT a FROM t SHUTDOWN', ['select read unbounded t', 'shutdown write none']],
    ['tsql', "EXEC p 'x' DROP TABLE t", ['execute unknown none', 'drop destructive none t!']],
    ['tsql', "SELECT * FROM OPENROWSET('p', 'c', 'DELETE FROM t')", ['select external-send unbounded']],
    ['bigquery', 'SELECT * FROM ds.t, t.items', ['select read unbounded ds.t']],
    ['sqlite', 'CREATE TRIGGER x AFTER INSERT ON a BEGIN DELETE FROM b; END; DROP TABLE c', ['create write none a!', 'drop destructive none c!']],
  ] satisfies [SqlDialect, string, string[]][])('%s: %s [SQ-7]', (dialect, text, lines) => expect(told(dialect, text)).toEqual(lines)) // biome-ignore format: a table
})

describe('values', () => {
  it('of literals never stand in a reading [SQ-4]', () => {
    for (const { text, dialect } of corpus) {
      const marked = text.replaceAll(/'[^'\n]*'/g, "'zqmarker'").replaceAll(/\$\$[\s\S]*?\$\$/g, '$$$$ zqmarker $$$$')
      expect(JSON.stringify(extract(marked, dialect)), text).not.toContain('zqmarker')
    }
  })
})

const nested = (open: string, close: string, depth: number) => `SELECT ${open.repeat(depth)}1${close.repeat(depth)}`

describe('hostile text', () => {
  const texts: Record<string, string> = {
    'ten thousand parentheses': nested('(', ')', 10_000),
    'a megabyte': `SELECT ${'1,'.repeat(500_000)}1`,
    'a quarter of a megabyte in one statement': `SELECT ${'1,'.repeat(120_000)}1`,
    'a chain of operators': `SELECT ${'1+'.repeat(900)}1`,
    'set operations': `SELECT 1${' UNION SELECT a FROM t'.repeat(900)}`,
    'nested queries': `SELECT * FROM ${'(SELECT * FROM '.repeat(150)}t${') a'.repeat(150)}`,
    'nested calls': nested('f(', ')', 190),
    'common table expressions': `WITH ${Array.from({ length: 400 }, (_, i) => `c${i} AS (SELECT * FROM ${i === 0 ? 't' : `c${i - 1}`})`)} SELECT * FROM c399`,
    'an open comment': '/*'.repeat(100_000),
    'an open string': `SELECT '${'\\'.repeat(60_000)}`,
    'open dollar quotes': '$a'.repeat(30_000),
    semicolons: ';'.repeat(200_000),
    'statements without semicolons': 'SELECT a FROM t '.repeat(2_000),
    binary: Buffer.from(Uint8Array.from({ length: 4_096 }, (_, i) => (i * 37) % 256)).toString('latin1'),
    'a lone surrogate': 'SELECT \ud800',
    'a zero': 'SELECT \u0000',
  }
  it.each(Object.keys(texts))('%s: a reading, in bounded time [SQ-5]', (name) => {
    for (const dialect of sqlDialects) {
      const before = process.cpuUsage()
      const { statements } = extract(texts[name] ?? '', dialect)
      const { user } = process.cpuUsage(before)
      expect(user / 1000, dialect).toBeLessThan(5_000)
      for (const statement of statements)
        if (statement.kind === 'unparsable') expect(statement.reason).not.toBe('failed')
      expect(told(dialect, 'SELECT a FROM t WHERE b = 1')).toEqual([
        dialect === 'snowflake' ? 'select read bounded T' : 'select read bounded t',
      ])
    }
  })

  it('names the limit that it met [SQ-5]', () => {
    expect(told('postgresql', nested('(', ')', 10_000))).toEqual(['unparsable too-deep select unknown'])
    expect(told('mysql', nested('f(', ')', 190))).toEqual(['unparsable too-deep select unknown'])
    expect(told('tsql', `DELETE FROM t WHERE a IN (${'1,'.repeat(500_000)}1)`)).toEqual([
      'unparsable too-long delete unknown',
    ])
    expect(told('sqlite', `INSERT INTO t VALUES ${'(1),'.repeat(9_000)}(1)`)).toEqual([
      'unparsable too-long insert write',
    ])
    expect(told('bigquery', `SELECT ${'1+'.repeat(900)}1`)).toEqual(['unparsable too-many-operators select unknown'])
    expect(told('snowflake', 'SELECT \u0000')).toEqual(['unparsable not-text – unknown'])
  })

  it('counts what it leaves out [SQ-8]', () => {
    expect(extract('SELECT 1;'.repeat(150), 'postgresql')).toMatchObject({ unread: 50, statements: { length: 100 } })
    const wide = `SELECT ${Array.from({ length: 600 }, (_, i) => `c${i}`)} FROM t`
    for (const dialect of sqlDialects) {
      const [statement] = extract(wide, dialect).statements
      expect(statement).toMatchObject({ unlisted: 100, columns: { length: 500 } })
    }
  })

  it('of any shape yields a reading [SQ-5]', () => {
    const words = ['SELECT', '*', 'a', 'FROM', 't', '(', ')', ',', 'WHERE', '=', "'", '"', '`', '[', ']', '$$', '--', '/*', '*/', ';', 'UNION', 'WITH', 'AS', 'DELETE', 'UPDATE', 'SET', 'INSERT', 'INTO', 'VALUES', 'JOIN', 'ON', 'USING', 'MERGE', 'WHEN', 'MATCHED', 'THEN', 'EXEC', '@x', ':y', '?', '1', 'COPY', 'LIMIT', 'BEGIN', 'END', 'CREATE', 'TABLE', 'VIEW', 'EXPLAIN', 'GRANT', '.', '::', '\n'] // biome-ignore format: a list
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...words), { maxLength: 40 }),
        fc.constantFrom(...sqlDialects),
        (parts, dialect) => {
          for (const statement of extract(parts.join(' '), dialect).statements)
            if (statement.kind === 'unparsable') expect(statement.reason).not.toBe('failed')
        },
      ),
      { numRuns: 600 },
    )
  })

  it('that breaks off anywhere yields a reading [SQ-5]', () => {
    for (const { text, dialect } of corpus)
      for (const share of [0.3, 0.6, 0.9]) {
        const { statements } = extract(text.slice(0, Math.floor(text.length * share)), dialect)
        for (const statement of statements)
          if (statement.kind === 'unparsable') expect(statement.reason).not.toBe('failed')
      }
  })
})

describe('plug-ins', () => {
  /** Loads in a process where a package cannot be resolved; prints what came of it. */
  const loadWithout = (missing: string, dialects: string) => {
    const path = join(root, 'packages/sensor/src/classify/sql/load.ts')
    const program = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve: (name, context, next) => { if (name === ${JSON.stringify(missing)}) throw new Error('not here'); return next(name, context) } })
      const { loadSqlExtractor } = await import(${JSON.stringify(path)})
      try { await loadSqlExtractor(${dialects}); console.log('loaded') } catch (error) { console.log(error.code, error.package, error.message) }`
    return execFileSync(process.execPath, ['--conditions=@affidavit/source', '--input-type=module', '-e', program], {
      cwd: root,
      encoding: 'utf8',
    })
  }

  it.each([
    ['libpg-query', '["postgresql"]', '["mysql"]'],
    ['@polyglot-sql/sdk', '["mysql"]', '["postgresql"]'],
  ])('%s: its absence is an error for the dialects that need it alone [SQ-6]', (name, needing, other) => {
    expect(loadWithout(name, needing)).toMatch(new RegExp(`^AFD_SQL_PLUGIN_MISSING ${name} .*npm install ${name}@\\d`))
    expect(loadWithout(name, other)).toBe('loaded\n')
  })

  it('without the parser of a dialect a text of it is said to be unread [SQ-3]', async () => {
    const postgres = await loadSqlExtractor(['postgresql'])
    expect(postgres('DROP TABLE t', 'mysql').statements).toEqual([
      { kind: 'unparsable', reason: 'no-parser', verb: 'drop', effect: 'destructive' },
    ])
  })
})

describe('the documentation', () => {
  it('shows a reading that holds [SQ-9]', () => {
    const text = readFileSync(join(root, 'docs/SQL.md'), 'utf8')
    const sql = /```sql\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
    const reading = /```json\n([\s\S]*?)```/.exec(text)?.[1] ?? 'null'
    expect(extract(sql, 'postgresql')).toEqual(JSON.parse(reading))
  })
})

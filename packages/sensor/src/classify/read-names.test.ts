import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Classifier } from './classifier.ts'
import { compileCatalogue } from './compile.ts'
import { matchColumns, matchStatements, matchTables } from './read-names.ts'
import { sqlDialects } from './sql/reading.ts'
import { SqlParsers } from './sql-parsers.ts'

const parsers = new SqlParsers(({ message }) => {
  throw new Error(message)
})
beforeAll(() => parsers.load(sqlDialects))

const classify = (lines: string[], sql: string | string[], dialect = 'postgresql') => {
  const text = [
    'version: 1',
    'entries:',
    `  - { id: q, tool: t, sensitivity: internal, dataTypes: [row], extract: [{ as: sql, from: /q, dialect: ${dialect} }] }`,
    ...lines,
  ].join('\n')
  const catalogue = compileCatalogue([{ label: 'f', text, examples: 'tried' }], parsers.extract)
  return new Classifier(catalogue).classify({ server: 's', tool: 't', resource: undefined }, () =>
    Buffer.from(JSON.stringify({ q: sql })),
  )
}
const table = (globs: string[], ...names: string[]) =>
  matchTables(globs, undefined).match({
    resources: names.map((name) => ({ type: 'table', name })),
    statements: [],
    isPartial: false,
  })
const column = (globs: string[], name: string) => matchColumns(globs).matchOne({ type: 'column', name })

describe('a condition on tables', () => {
  it.each([
    ['customers', 'customers', 'all'],
    ['customers', 'CRM.Customers', 'all'],
    ['crm.customers', 'customers', 'some'],
    ['crm.customers', 'hr.customers', 'none'],
    ['crm.*', 'crm.orders', 'all'],
    ['crm.*', 'orders', 'none'],
    ['cust*', 'db.crm.customers', 'all'],
    ['customers', 'customers_old', 'none'],
    ['a.b', '"a.b"', 'none'],
    ['*', 'anything', 'all'],
  ] as const)('%s and the table %s: %s [SW-2]', (glob, name, match) => expect(table([glob], name)).toBe(match))

  it('holds for some of several tables, and for some where not everything was read [SW-2]', () => {
    expect(table(['a'], 'a', 'b')).toBe('some')
    expect(table(['a'])).toBe('none')
    const read = { resources: [], statements: [], isPartial: true }
    for (const condition of [
      matchTables(['a'], undefined),
      matchColumns(['a']),
      { match: matchStatements({ verb: ['drop'] }) },
    ])
      expect(condition.match(read)).toBe('some')
  })

  it('is not escaped by qualifying a name or by its case [SW-2]', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/)
    fc.assert(fc.property(word, fc.array(word, { maxLength: 3 }), (name, schemas) => {
      expect(table([name], [...schemas, name.toUpperCase()].join('.'))).toBe('all')
    })) // biome-ignore format: short
  })
})

it.each([
  ['*.ssn', 'people.ssn', 'all'],
  ['people.ssn', 'ssn', 'some'],
  ['ssn', 'people.ssn', 'all'],
  ['people.ssn', 'orders.ssn', 'none'],
  ['people.ssn', 'people.*', 'some'],
  ['ssn', 'orders.*', 'some'],
  ['people.ssn', 'orders.*', 'none'],
  ['people.ssn', '*', 'some'],
] as const)('a condition on the column %s and %s: %s [SW-2]', (glob, name, match) =>
  expect(column([glob], name)).toBe(match),
)

describe('an entry about tables', () => {
  const people = '  - { id: p, tool: t, when: [{ table: people }], sensitivity: restricted, dataTypes: [person] }'
  const open = '  - { id: o, tool: t, when: [{ table: weather }], sensitivity: public }'

  it('lightens only what is about that table alone, and never what nobody could read [SW-2]', () => {
    expect(classify([people, open], 'SELECT a FROM weather')?.level).toBe('public')
    expect(classify([people, open], 'SELECT a FROM weather, people')?.level).toBe('restricted')
    expect(classify([people, open], 'SELECT a FROM weather; nonsense')?.level).toBe('restricted')
    expect(classify([open], 'SELECT a FROM weather; nonsense')?.level).toBe('internal')
    expect(classify([people, open], ['SELECT a FROM weather', 'CALL p()'])).toMatchObject({
      level: 'restricted',
      basis: { problems: ['sql_unseen'] },
    })
    expect(classify([people], 'SELECT 1')).toMatchObject({ level: 'internal', dataTypes: ['row'] })
  })

  it('names level and data of each table by itself [SW-2]', () => {
    const found = classify([people], 'SELECT p.name FROM people p JOIN orders o ON o.id = p.id')
    expect(found?.resources.map(({ name, label }) => [name, label?.level, label?.dataTypes])).toEqual([
      ['people', 'restricted', ['person']],
      ['orders', undefined, ['row']],
      ['orders.id', undefined, ['row']],
      ['people.id', 'restricted', ['person']],
      ['people.name', 'restricted', ['person']],
    ])
  })

  it('may ask how a table is used, and what the statement does [SW-3]', () => {
    const writing = '  - { id: w, tool: t, when: [{ table: people, access: write }], effect: destructive }'
    const all =
      '  - { id: a, tool: t, when: [{ statement: { verb: update, bound: unbounded } }], sensitivity: restricted }'
    expect(classify([writing], 'INSERT INTO log SELECT * FROM people')?.effect).toBe('write')
    expect(classify([writing], 'UPDATE people SET a = 1 WHERE b = 2')?.effect).toBe('destructive')
    expect(classify([all], 'UPDATE people SET a = 1 WHERE b = 2')?.level).toBe('internal')
    expect(classify([all], 'UPDATE people SET a = 1')?.level).toBe('restricted')
    const late = [...Array.from({ length: 40 }, () => 'SELECT 1'), 'UPDATE people SET a = 1']
    expect(classify([all], late)).toMatchObject({ level: 'restricted', statementsOmitted: 9 })
  })

  it('has no extractors of its own, which would have to be applied before it is known to hold [SW-2]', () => {
    const both = '  - { id: b, tool: t, when: [{ table: a }], extract: [{ as: path, from: /p }] }'
    expect(() => classify([both], '')).toThrow(/extract in one without them/)
    expect(() => classify(['  - { id: b, tool: t, when: [{ table: a, acess: read }], effect: read }'], '')).toThrow(
      /f: line 4, entries\.1\.when\.0\.acess/,
    )
  })
})

describe('the effect', () => {
  const said = (effect: string, decides: string) =>
    `  - { id: e, tool: t, effect: ${effect}, extract: [{ as: sql, from: /q, dialect: postgresql${decides} }] }`

  it('is what the statement does where the entry says that it decides, and all of it was read [SW-3]', () => {
    const decides = said('destructive', ', decides: effect')
    expect(classify([decides], 'SELECT 1')?.effect).toBe('read')
    expect(classify([decides], ['SELECT 1', 'INSERT INTO t VALUES (1)'])?.effect).toBe('write')
    for (const unknown of [
      'nonsense',
      'CALL p()',
      'DO $$ x $$',
      'SELECT 1; nonsense',
      'INSERT INTO t VALUES (1); nonsense',
      `SELECT ${'1+'.repeat(500)}1`,
    ])
      expect([unknown, classify([decides], unknown)?.effect]).toEqual([unknown, 'destructive'])
    expect(classify([said('destructive', '')], 'SELECT 1')?.effect).toBe('destructive')
    expect(classify([said('read', ', decides: effect')], "COPY t TO PROGRAM 'curl'")?.effect).toBe('external-send')
  })

  it('stays what the entry says where a statement is too long to be looked at [SW-3]', () => {
    expect(
      classify([said('destructive', ', decides: effect')], ['SELECT 1', `SELECT '${'x'.repeat(300_000)}'`]),
    ).toMatchObject({
      effect: 'destructive',
      basis: { problems: ['values_unread'] },
    })
    expect(classify([], ['SELECT 1', `SELECT '${'x'.repeat(300_000)}'`])?.effect).toBeUndefined()
  })
})

describe('a name that may be a value', () => {
  const marked = (sql: string, dialect: string) =>
    classify([], sql, dialect)
      ?.resources.filter(({ mayBeValue }) => mayBeValue?.())
      .map(({ type, name }) => `${type} ${name}`)

  it.each([
    ['sqlite', 'SELECT a FROM t WHERE b = "Ann"', ['column t.ann']],
    ['postgresql', 'SELECT a FROM t WHERE b = "Ann"', ['column t.Ann']],
    [
      'postgresql',
      'SELECT a FROM t WHERE b = "Dr.Ann" AND c LIKE "%HIV positive%"',
      ['column t.Dr.Ann', 'column t.%HIV positive%'],
    ],
    ['tsql', 'UPDATE t SET a = "Ann" WHERE b = "Roe"', ['column t.ann', 'column t.roe']],
    ['snowflake', "SELECT a FROM '/data/ann.csv'", ['table "/data/ann.csv"', 'column "/data/ann.csv".A']],
    ['mysql', "SELECT a FROM '/data/ann.csv'", ['table "/data/ann.csv"', 'column "/data/ann.csv".a']],
    // A word that stands bare elsewhere is still one that stands in quotes here.
    ['postgresql', 'SELECT ann FROM t WHERE b = "ann"', ['column t.ann']],
  ] as const)('in %s: %s [SW-7]', (dialect, sql, expected) => {
    expect(marked(sql, dialect)).toEqual(expected)
  })

  it.each([
    ['postgresql', 'SELECT t.a, *, count(b) FROM s.t JOIN "User Accounts" u ON u.id = t.id WHERE c = \'Ann\''],
    ['tsql', "SELECT [Order Id], a FROM dbo.[Order Details] WHERE b = 'Ann'"],
    ['mysql', 'SELECT `order id`, a FROM `my-orders`.`t` WHERE b = "Ann"'],
    ['bigquery', 'SELECT a FROM `proj-x.ds.t` WHERE b = "Ann"'],
    ['snowflake', "SELECT A, b FROM db.t WHERE c = 'Ann'"],
  ] as const)('is none in %s: %s [SW-7]', (dialect, sql) => {
    expect(marked(sql, dialect)).toEqual([])
  })
})

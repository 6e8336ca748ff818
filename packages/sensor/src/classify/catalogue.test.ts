import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Classifier } from './classifier.ts'
import { type CatalogueFileError, type CatalogueText, compileCatalogue } from './compile.ts'
import { plantPointers, readPointers } from './pointers.ts'

const file = (label: string, ...lines: string[]): CatalogueText => ({
  label,
  text: ['version: 1', ...lines].join('\n'),
  examples: 'tried',
})

function classify(files: CatalogueText[], tool: string, json: string | undefined, server = 'crm') {
  const classifier = new Classifier(compileCatalogue(files))
  return classifier.classify({ server, tool, resource: undefined }, () =>
    json === undefined ? undefined : Buffer.from(json),
  )
}

function failureOf(work: () => unknown): CatalogueFileError {
  try {
    work()
  } catch (error) {
    if (error instanceof Error && error.name === 'CatalogueFileError') return error as CatalogueFileError
    throw error
  }
  throw new Error('it was taken')
}

const base = file(
  'base',
  'entries:',
  "  - { id: all, server: 'crm*', sensitivity: internal, owner: sales, dataTypes: [customer] }",
  '  - { id: read, server: crm, tool: get, effect: read, sensitivity: confidential }',
)
const byPath = file(
  'mine.yaml',
  'entries:',
  '  - { id: all, server: files, sensitivity: internal, effect: read }',
  '  - id: hr',
  '    server: files',
  "    when: [{ argument: /paths, path: '/srv/hr/**' }]",
  '    sensitivity: restricted',
  '    effect: write',
  '    dataTypes: [salary]',
  '  - id: open',
  '    server: files',
  "    when: [{ argument: /paths, path: '/srv/public/**' }]",
  '    sensitivity: public',
)
const paths = (...each: string[]) => JSON.stringify({ paths: each })

describe('catalogue', () => {
  it('of two entries that say the same thing the later one wins, and the verdict names it [CL-1]', () => {
    const mine = file('mine.yaml', 'entries:', '  - { id: ours, tool: get, sensitivity: public, dataTypes: [] }')
    expect(classify([base, mine], 'get', '{}')).toMatchObject({
      level: 'public',
      effect: 'read',
      dataTypes: [],
      basis: {
        entries: ['base#all', 'base#read', 'mine.yaml#ours'],
        level: 'mine.yaml#ours',
        effect: 'base#read',
        owner: { name: 'sales', source: 'base#all' },
      },
    })
    expect(classify([mine, base], 'get', '{}')?.level).toBe('confidential')
    expect(classify([base, mine], 'put', '{}')).toMatchObject({ level: 'internal', effect: undefined })
    expect(classify([base], 'get', '{}', 'shop')).toBeUndefined()
  })

  it('a server can be given the name that entries know it by [CL-1]', () => {
    const named = file('mine.yaml', 'servers: { shop-eu: crm }')
    expect(classify([base, named], 'get', '{}', 'shop-eu')?.level).toBe('confidential')
    expect(classify([base, named], 'get', '{}', 'shop-us')).toBeUndefined()
  })

  it('resource URIs have entries of their own [CL-1]', () => {
    const classifier = new Classifier(
      compileCatalogue([
        file('f', 'entries:', "  - { id: hr, resource: ['hr://**', 'file:///srv/hr/**'], sensitivity: restricted }"),
      ]),
    )
    const levelOf = (resource: string) =>
      classifier.classify({ server: 's', tool: undefined, resource }, () => undefined)?.level
    expect(['hr://salaries/2026', 'file:///srv/public/../hr/a', 'crm://a'].map(levelOf)).toEqual([
      'restricted', 'restricted', undefined,
    ]) // biome-ignore format: one row
    expect(classifier.classify({ server: 's', tool: 'hr://x', resource: undefined }, () => undefined)).toBeUndefined()
  })

  it('what holds for a part only makes it graver [CL-2]', () => {
    const levelOf = (json: string | undefined) => classify([byPath], 'read', json, 'files')
    expect(levelOf(paths('/srv/x'))).toMatchObject({ level: 'internal', effect: 'read' })
    expect(levelOf(paths('/srv/public/a'))?.level).toBe('public')
    expect(levelOf(paths('/srv/public/a', '/srv/x'))?.level).toBe('internal')
    expect(levelOf(paths('/srv/hr/a', '/srv/public/a'))).toMatchObject({
      level: 'restricted',
      effect: 'write',
      dataTypes: ['salary'],
    })
    for (const hidden of ['/srv/public/../hr/a', '/srv//hr/./a', 'file:///srv/hr/a', 'file://localhost/srv/x/../hr/a'])
      expect([hidden, levelOf(paths(hidden))?.level]).toEqual([hidden, 'restricted'])
  })

  it('a key that stands twice is seen twice, at any depth and however it is spelt [CL-2]', () => {
    const twice = '{"paths":["/srv/hr/a"],"x":[[[{"paths":1}]]],"pa\\u0074hs":"/srv/public/b"}'
    for (const json of [twice, '{"paths":"/srv/public/b","paths":"/srv/hr/a"}'])
      expect(classify([byPath], 'read', json, 'files')?.level).toBe('restricted')
  })

  it('arguments that nobody could read may be anything [CL-2]', () => {
    for (const json of [undefined, '{"paths":', `{"paths":"${'a'.repeat(300 * 1024)}"}`]) {
      const found = classify([byPath], 'read', json, 'files')
      expect(found).toMatchObject({ level: 'restricted', effect: 'write' })
      expect(found?.basis.entries).toEqual(['mine.yaml#all', 'mine.yaml#hr', 'mine.yaml#open'])
    }
    expect(classify([byPath], 'read', undefined, 'files')?.basis.problems).toEqual(['arguments_unread'])
  })

  it('conditions compare as they say, and all of them have to hold [CL-1] [CL-2]', () => {
    const holds = (condition: string, value: unknown) =>
      classify(
        [file('f', 'entries:', `  - { id: a, tool: t, when: [${condition}], effect: read }`)],
        't',
        JSON.stringify({ v: value, w: 1 }),
      ) !== undefined
    expect(holds('{ argument: /v, equals: [1, true, prod] }', 1)).toBe(true)
    expect(holds('{ argument: /v, equals: true }', true)).toBe(true)
    expect(holds('{ argument: /v, equals: prod }', 'production')).toBe(false)
    expect(holds("{ argument: /v, glob: 'prod*' }", 'prod/x\ny')).toBe(true)
    expect(holds("{ argument: /v/*/n, glob: 'a?c' }", [{ n: 'abc' }])).toBe(true)
    expect(holds("{ argument: /v, path: '/a/*/c' }", '/a/b/x/c')).toBe(false)
    expect(holds("{ argument: /v, path: '/a/*/c' }", '/a/b/c')).toBe(true)
    expect(holds("{ argument: /v, host: '*.example.com' }", 'https://u:p@API.Example.com.:8443/x')).toBe(true)
    expect(holds("{ argument: /v, host: 'example.com' }", 'Ann <ann@EXAMPLE.com')).toBe(true)
    expect(holds("{ argument: /v, host: '*.example.com' }", 'https://example.com.evil.test/')).toBe(false)
    expect(holds("{ argument: /v, pattern: '^[0-9]+$' }", 123)).toBe(true)
    expect(holds('{ argument: /v, equals: x }, { argument: /w, equals: 2 }', 'x')).toBe(false)
    expect(holds('{ argument: /v, equals: x }', undefined)).toBe(false)
  })

  it('the scheme of levels can be replaced, and unknown levels have to be mapped [CL-3]', () => {
    const scheme = ['levels: [green, red]']
    const error = failureOf(() => compileCatalogue([base, file('mine.yaml', ...scheme)]))
    expect([error.label, error.cause.code]).toEqual(['base', 'AFD_CATALOGUE_LEVEL'])
    expect(error.message).toMatch(
      /^base: line 3, entries\.0\.sensitivity: internal is none of the levels green, red\. Say/,
    )
    const mapped = [base, file('mine.yaml', ...scheme, 'levelOf: { internal: green, confidential: red }')]
    expect(classify(mapped, 'get', '{}')?.level).toBe('red')
    const classifier = new Classifier(compileCatalogue(mapped))
    expect(['red', 'restricted', 'green'].map((level) => classifier.isTop(level))).toEqual([true, false, false])
    expect(new Classifier(undefined).isTop('restricted')).toBe(true)
  })

  it.each([
    ['not YAML', ['entries: ['], 'AFD_CATALOGUE_NOT_YAML', /^f: line \d+: not YAML/],
    ['a misspelt key', ['entries:', '  - { id: a, tool: x, sensitivty: public }'], 'AFD_CATALOGUE_INVALID', /^f: line 3, entries\.0\.sensitivty: .*Known are/],
    ['an entry about nothing', ['entries:', '  - { id: a, effect: read }'], 'AFD_CATALOGUE_INVALID', /^f: line 3, entries\.0: needs at least one of server, tool and resource/],
    ['an id twice', ['entries:', '  - { id: a, tool: x }', '  - { id: a, tool: y }'], 'AFD_CATALOGUE_INVALID', /^f: line 4, entries\.1\.id: the id a is taken/],
    ['a condition without a test', ['entries:', '  - { id: a, tool: x, when: [{ argument: /a }] }'], 'AFD_CATALOGUE_INVALID', /exactly one of equals, glob, path, host and pattern/],
    ['lookahead', ['entries:', "  - { id: a, tool: x, when: [{ argument: /a, pattern: '(?=a)' }] }"], 'AFD_CATALOGUE_REGEX', /^f: line 3, entries\.0\.when\.0.*RE2/],
    ['SQL without a dialect', ['entries:', '  - { id: a, tool: x, extract: [{ as: sql, from: /q }] }'], 'AFD_CATALOGUE_INVALID', /sql needs a dialect/],
    ['a part that there is not', ['entries:', '  - { id: a, tool: x, extract: [{ as: bucket, from: { folder: /f } }] }'], 'AFD_CATALOGUE_INVALID', /bucket has no part folder\. Known are scheme, bucket, key/],
    ['an example that comes out otherwise', ['entries:', '  - { id: a, tool: x, effect: read }', 'examples:', '  - { call: { server: s, tool: x }, expect: { effect: write } }'], 'AFD_CATALOGUE_EXAMPLE', /^f: line 5, examples\.0\.expect\.effect: the example comes out as "read"/],
  ])('%s is told with line, key and remedy [CL-4]', (_, lines, code, sentence) => {
    const error = failureOf(() => compileCatalogue([file('f', ...lines)]))
    expect(error.cause.code).toBe(code)
    expect(error.message).toMatch(sentence)
  }) // biome-ignore format: one row, one line

  it('what SQL does counts where no entry says it, or where it is graver; without the plug-in that is said [CL-5]', () => {
    const sql = (effect: string) =>
      file('f', 'entries:', `  - { id: q, tool: t, ${effect} extract: [{ as: sql, from: /q, dialect: sqlite }] }`)
    const words = ['read', 'write', 'destructive', 'external-send', 'unknown'] as const
    const effectOf = (entry: string, ...said: string[]) => {
      const catalogue = compileCatalogue([sql(entry)], (text) => ({
        named: [{ type: 'table', name: text }],
        effects: [words.find((word) => word === text) ?? 'unknown'],
      }))
      const json = Buffer.from(JSON.stringify({ q: said }))
      return new Classifier(catalogue).classify({ server: 's', tool: 't', resource: undefined }, () => json)?.effect
    }
    expect(effectOf('', 'read')).toBe('read')
    expect(effectOf('', 'read', 'destructive')).toBe('destructive')
    expect(effectOf('', 'read', 'unknown')).toBeUndefined()
    expect(effectOf('effect: read,', 'write')).toBe('write')
    expect(effectOf('effect: destructive,', 'read')).toBe('destructive')
    const without = classify([sql('')], 't', '{"q":"select 1"}')
    expect([without?.effect, without?.basis.problems]).toEqual([undefined, ['sql_plugin_missing']])
  })

  it('hostile values cost linear time [CL-4]', () => {
    const entries = [
      "  - { id: a, tool: t, when: [{ argument: /v, pattern: '(a*)*(a|aa)+b' }], effect: read }",
      "  - { id: b, tool: t, when: [{ argument: /v, glob: '*a*a*a*a*a*b' }], effect: read }",
      '  - { id: c, tool: t, extract: [{ as: recipient, from: /v }, { as: url, from: /v }, { as: path, from: /v }] }',
    ]
    const classifier = new Classifier(compileCatalogue([file('f', 'entries:', ...entries)]))
    for (const value of ['a'.repeat(100_000), 'a@'.repeat(50_000), '../'.repeat(30_000)]) {
      const json = Buffer.from(JSON.stringify({ v: value }))
      const startMs = performance.now()
      classifier.classify({ server: 's', tool: 't', resource: undefined }, () => json)
      expect(performance.now() - startMs).toBeLessThan(3_000)
    }
  })

  it('entries are looked up once for a tool, and arguments read only where one needs them [CL-12]', () => {
    const classifier = new Classifier(compileCatalogue([base, byPath]))
    const ask = (server: string, tool: string) => {
      let reads = 0
      const found = classifier.classify({ server, tool, resource: undefined }, () => {
        reads++
        return Buffer.from('{}')
      })
      return { found, reads }
    }
    expect(ask('crm', 'get').reads).toBe(0)
    expect(ask('crm', 'get').found).toBe(ask('crm', 'get').found)
    expect(ask('files', 'read').reads).toBe(1)
    classifier.use(compileCatalogue([byPath]))
    expect(ask('crm', 'get').found).toBeUndefined()
    classifier.use(undefined)
    expect(ask('files', 'read').found).toBeUndefined()
  })
})

describe('pointers', () => {
  it('find what a naive reading finds, whatever the JSON [CL-2]', () => {
    const key = fc.constantFrom('a', 'b', '0', '1', 'a/b', '~', '')
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      map: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    })).value
    const escaped = (segment: string) => segment.replaceAll('~', '~0').replaceAll('/', '~1')
    const pointers = fc.array(fc.array(fc.oneof(key, fc.constant('*')), { minLength: 1, maxLength: 4 }), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(json, pointers, (value, wanted) => {
        const texts = wanted.map((segments) => `/${segments.map(escaped).join('/')}`)
        const found = readPointers(Buffer.from(JSON.stringify(value)), plantPointers(texts))
        for (const [i, segments] of wanted.entries())
          expect(found?.get(texts[i] ?? '')?.texts ?? []).toEqual(naive([value], segments))
      }),
      { numRuns: 2_000 },
    )
  })

  it('take hostile JSON [CL-2]', () => {
    const tree = plantPointers(['/a', '/*/b'])
    const deep = 100_000
    for (const json of ['', '{', '"\\ud800"', '[]', '1', '{"a":"\\ud800"}', `${'['.repeat(deep)}${']'.repeat(deep)}`])
      expect(() => readPointers(Buffer.from(json), tree)).not.toThrow()
    expect(readPointers(Buffer.from('{"a":[1,"x",null,[2],{"a":3}]}'), tree)?.get('/a')?.texts).toEqual([
      '1',
      'x',
      'null',
    ])
    const many = readPointers(Buffer.from(JSON.stringify({ a: Array(2_000).fill('x') })), tree)?.get('/a')
    expect([many?.texts.length, many?.unread]).toEqual([1_024, 976])
  })
})

/** In the order in which they stand; a list stands for its scalars. */
function naive(values: unknown[], segments: string[]): string[] {
  const [segment, ...rest] = segments
  if (segment === undefined)
    return values.flatMap((value) => (Array.isArray(value) ? value : [value]).flatMap((each) => scalar(each)))
  const next = values.flatMap((value) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, member]) => (segment === '*' || key === segment ? [member] : []))
      : [],
  )
  return naive(next, rest)
}

function scalar(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return []
  return [typeof value === 'string' ? value : JSON.stringify(value)]
}

import { describe, expect, test } from 'vitest'
import { loadPatterns } from './patterns.ts'
import { PatternsError } from './patterns-error.ts'
import { createRedactor } from './redactor.ts'

const correlationKey = Buffer.alloc(32, 7)

function redactWith(yaml: string, value: unknown): string {
  const redactor = createRedactor({ correlationKey, patterns: loadPatterns(yaml) })
  return Buffer.from(redactor.redactJson(Buffer.from(JSON.stringify(value))).text).toString()
}

function problemOf(yaml: string): PatternsError {
  try {
    loadPatterns(yaml)
  } catch (problem) {
    if (problem instanceof PatternsError) return problem
    throw problem
  }
  throw new Error('loadPatterns accepted it')
}

describe("users' patterns", () => {
  test('a pattern is removed wherever it stands, also in nested encodings and numbers [X-19]', () => {
    const yaml =
      "version: 1\nrules:\n  - id: employee\n    pattern: '\\b\\d{6}E\\b'\n  - id: ticket\n    pattern: '^77\\d{4}$'\n"
    const out = redactWith(yaml, {
      a: 'x 004711E y',
      b: Buffer.from('about 004711E!!!').toString('base64'),
      c: JSON.stringify(['004711E']),
      d: 771234,
      e: 7712345,
    })
    expect(JSON.parse(out)).toEqual({
      a: 'x [REDACTED:employee] y',
      b: '[REDACTED:employee]',
      c: '["[REDACTED:employee]"]',
      d: '[REDACTED:ticket]',
      e: 7712345,
    })
  })

  test('the first group is what is removed [X-19]', () => {
    expect(redactWith("version: 1\nrules:\n  - {id: n, pattern: 'no (\\d+)'}\n", 'no 42 é no 7')).toBe(
      '"no [REDACTED:n] é no [REDACTED:n]"',
    )
  })

  test('a name takes its value in every spelling, and all of a container [X-19]', () => {
    const out = redactWith('version: 1\nrules:\n  - {id: patient, keys: [patient_name]}\n', {
      patientName: 'Ann',
      'Patient-Name': ['Bo', 7],
      patient_name: { name: 'Cy', n: 5 },
      name: 'Dee',
    })
    expect(JSON.parse(out)).toEqual({
      patientName: '[REDACTED:patient]', 'Patient-Name': ['[REDACTED:patient]', '[REDACTED:patient]'],
      patient_name: { name: '[REDACTED:patient]', n: '[REDACTED:patient]' }, name: 'Dee',
    }) // biome-ignore format: one list
  })

  test('a place takes its value: * is one segment, ** any number [X-19]', () => {
    const yaml = "version: 1\nrules:\n  - {id: text, paths: ['/**/notes', '/m/*/body', '/a~1b/c']}\n"
    const out = redactWith(yaml, {
      notes: 'x',
      q: { w: [{ notes: 'y', body: 'z' }] },
      m: [{ body: 's' }, { body: 't', other: 'u' }],
      'a/b': { c: 'v', d: 'w' },
    })
    const gone = '[REDACTED:text]'
    expect(JSON.parse(out)).toEqual({
      notes: gone,
      q: { w: [{ notes: gone, body: 'z' }] },
      m: [{ body: gone }, { body: gone, other: 'u' }],
      'a/b': { c: gone, d: 'w' },
    })
  })

  test('classes and rules can be switched [X-20]', () => {
    const value = { a: 'from 10.1.2.3', b: 'x@example.org', c: `AIzaSyB${'d3Fg6Hj9Kl2Zx5Cv8Bn1Mq4We7Rt0Yui'}` }
    expect(JSON.parse(redactWith('version: 1\n', value))).toEqual({
      a: 'from 10.1.2.3',
      b: '[REDACTED:email]',
      c: '[REDACTED:google-api-key]',
    })
    const switched = 'version: 1\nclasses: {ip: true, email: false}\ndisable: [google-api-key]\n'
    expect(JSON.parse(redactWith(switched, value))).toEqual({ ...value, a: 'from [REDACTED:ip]' })
  })

  test('a pattern that would take exponential time elsewhere does not here [X-21]', () => {
    const start = process.cpuUsage()
    redactWith("version: 1\nrules:\n  - {id: evil, pattern: '(a+)+$'}\n", `${'a'.repeat(50_000)}!`)
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(5_000)
  })

  test('errors name line, key and remedy [X-22]', () => {
    const cases: [string, string, number, string][] = [
      ['version: 1\nrules: [', 'AFD_PATTERNS_NOT_YAML', 2, ''],
      ['version: 2\n', 'AFD_PATTERNS_INVALID', 1, 'version'],
      ['version: 1\nrulez: []\n', 'AFD_PATTERNS_INVALID', 2, 'rulez'],
      ['version: 1\nrules:\n  - id: a\n    pattern: x\n  - id: B!\n    pattern: y\n', 'AFD_PATTERNS_INVALID', 5, 'rules.1.id'],
      ['version: 1\nrules:\n  - id: a\n    pattern: x\n  - id: a\n    pattern: y\n', 'AFD_PATTERNS_INVALID', 5, 'rules.1.id'],
      ['version: 1\nrules:\n  - id: a\n', 'AFD_PATTERNS_INVALID', 3, 'rules.0'],
      ["version: 1\nrules:\n  - id: a\n    pattern: '(?=x)'\n", 'AFD_PATTERNS_REGEX', 4, 'rules.0.pattern'],
      ["version: 1\nrules:\n  - id: a\n    pattern: 'x*'\n", 'AFD_PATTERNS_REGEX', 4, 'rules.0.pattern'],
      ["version: 1\nrules:\n  - id: a\n    pattern: x\n    examples: {match: ['y']}\n", 'AFD_PATTERNS_EXAMPLE', 5, 'rules.0.examples'],
      ["version: 1\nrules:\n  - id: a\n    pattern: x\n    examples: {noMatch: ['x']}\n", 'AFD_PATTERNS_EXAMPLE', 5, 'rules.0.examples'],
      ['version: 1\nclasses: {emails: true}\n', 'AFD_PATTERNS_INVALID', 2, 'classes.emails'],
    ] // biome-ignore format: a table
    for (const [yaml, code, line, key] of cases) {
      const problem = problemOf(yaml)
      expect({ code: problem.code, line: problem.line, key: problem.key }, yaml).toEqual({ code, line, key })
      expect(problem.remedy).toMatch(/\w/)
      expect(problem.message).toContain(problem.remedy)
    }
  })
})

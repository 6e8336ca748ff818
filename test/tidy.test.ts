import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as checks from './tidy/checks.ts'
import { parseSource, readSources, root } from './tidy/source.ts'

const all = readSources()
const sources = all.filter((source) => !source.isTest)
const judge = (check: checks.Check, among = sources) => among.flatMap((source) => check(source))

describe('layers', () => {
  it('every folder imports only what its row of the table names [TIDY-1]', () =>
    expect(judge(checks.imports)).toEqual([]))
  it('the write side never imports the read side, nor the reverse [TIDY-2]', () =>
    expect(judge(checks.crossings)).toEqual([]))
  it('no barrels: no index.ts, no export * [TIDY-3]', () => expect(judge(checks.barrels, all)).toEqual([]))
  it('@affidavit/evidence has no dependencies [TIDY-4]', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'packages/evidence/package.json'), 'utf8'))
    expect(manifest).not.toHaveProperty('dependencies')
  })
})

describe('style', () => {
  it('no file is over 300 lines [TIDY-5]', () => expect(judge(checks.fileSize)).toEqual([]))
  it('no function is over 60 lines or takes more than 4 parameters or a boolean [TIDY-6]', () =>
    expect(judge(checks.functions)).toEqual([]))
  it('no file or declaration carries a name that says nothing [TIDY-7]', () => expect(judge(checks.names)).toEqual([]))
  it('no any, no non-null assertion, no cast outside a parse function [TIDY-8]', () =>
    expect(judge(checks.casts)).toEqual([]))
  it('no catch swallows: it throws, or it looks at what it caught [TIDY-9]', () =>
    expect(judge(checks.catches)).toEqual([]))
})

describe('the checks themselves', () => {
  const long = `function long() {\n${'  go()\n'.repeat(60)}}`
  it.each([
    [checks.imports, 'packages/evidence/src/log/a.ts', "import { x } from '../record/b.ts'"],
    [checks.imports, 'packages/evidence/src/record/a.ts', "import fs from 'node:fs'"],
    [checks.imports, 'packages/sensor/src/durable/a.ts', "const x = await import('zod')"],
    [checks.imports, 'packages/sensor/src/cli/a.ts', "import { x } from 'affidavit/store/x'"],
    [checks.crossings, 'packages/affidavit/src/query/a.ts', "import { x } from '@affidavit/sensor/spool/x'"],
    [checks.barrels, 'packages/sensor/src/spool/index.ts', ''],
    [checks.barrels, 'packages/sensor/src/spool/a.ts', "export * from './b.ts'"],
    [checks.fileSize, 'packages/sensor/src/spool/a.ts', 'go()\n'.repeat(301)],
    [checks.functions, 'packages/sensor/src/spool/a.ts', long],
    [checks.functions, 'packages/sensor/src/spool/a.ts', 'const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => 0'],
    [checks.functions, 'packages/sensor/src/spool/a.ts', 'const f = (force: boolean) => 0'],
    [checks.names, 'packages/sensor/src/spool/file-helper.ts', ''],
    [checks.names, 'packages/sensor/src/spool/a.ts', 'const userData = 1'],
    [checks.casts, 'packages/sensor/src/spool/a.ts', 'const x = y as Foo'],
    [checks.casts, 'packages/sensor/src/spool/a.ts', 'const x = y!.z'],
    [checks.casts, 'packages/sensor/src/spool/a.ts', 'let x: any'],
    [checks.catches, 'packages/sensor/src/spool/a.ts', 'try { go() } catch { stay() }'],
  ])('bite: %o on %s', (check, path, text) => expect(check(parseSource(path, text))).toHaveLength(1))
})

describe('what the repository says', () => {
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((p) => p !== '')
  const mentions = (pattern: RegExp, among = tracked) =>
    among
      .filter((path) => !['test/tidy.test.ts', 'package-lock.json'].includes(path))
      .filter((path) => pattern.test(readFileSync(join(root, path), 'utf8')))

  it('no module mocks and no tests switched off [TIDY-10]', () => {
    const tests = tracked.filter((path) => /\.(test|contract)\.tsx?$/.test(path))
    expect(mentions(/vi\.mock\(|\b(it|test|describe)\.(only|todo|skip)\(/, tests)).toEqual([])
  })
  it('no path of one machine and no registry host [TIDY-11]', () => {
    expect(mentions(/(^|[^a-zA-Z.])\/(work|farm)\/|registry\.[a-z]+\.org|\/home\/[a-z]+\//m)).toEqual([])
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/)
  })
  it('nothing is left for later [TIDY-12]', () => {
    expect(mentions(/\b(TODO|FIXME|HACK)\b|XXX[^X]|not (yet )?implemented/)).toEqual([])
  })
})

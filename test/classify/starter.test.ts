import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { parseCatalogue } from '../../packages/sensor/src/classify/catalogue-schema.ts'
import { Classifier } from '../../packages/sensor/src/classify/classifier.ts'
import { compileCatalogue } from '../../packages/sensor/src/classify/compile.ts'
import { readStarter } from '../../packages/sensor/src/classify/load-catalogue.ts'
import { sqlDialects } from '../../packages/sensor/src/classify/sql/reading.ts'
import { SqlParsers } from '../../packages/sensor/src/classify/sql-parsers.ts'

const root = join(import.meta.dirname, '../..')
const starter = readStarter()
const parsers = new SqlParsers(({ message }) => {
  throw new Error(message)
})
beforeAll(() => parsers.load(sqlDialects))

describe('the starter catalogue', () => {
  it('loads, and its examples come out as they say [CL-10]', () => {
    const tried = starter.map((file) => ({ ...file, examples: 'tried' as const }))
    expect(compileCatalogue(tried, parsers.extract).entries.length).toBeGreaterThan(50)
  })

  it.each(starter)('$label has an example for every entry [CL-10]', (file) => {
    const classifier = new Classifier(compileCatalogue([file], parsers.extract))
    const { entries, examples } = parseCatalogue(file.text).file
    const hit = new Set<string>()
    for (const { call } of examples) {
      const json = Buffer.from(JSON.stringify(call.arguments ?? {}))
      const found = classifier.classify({ server: call.server, tool: call.tool, resource: call.resource }, () => json)
      for (const entry of found?.basis.entries ?? []) hit.add(entry.slice(entry.indexOf('#') + 1))
    }
    expect(entries.map(({ id }) => id).filter((id) => !hit.has(id))).toEqual([])
  })
})

describe('docs/CATALOGUE.md', () => {
  const text = readFileSync(join(root, 'docs/CATALOGUE.md'), 'utf8')
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '')
  const files = blocks.filter((block) => block.startsWith('version: 1'))

  it('has examples that load after the starter catalogue, and come out as they say [CL-10]', () => {
    expect(files.length).toBeGreaterThan(0)
    for (const block of files) {
      const mine = { label: 'catalogue.yaml', text: block, examples: 'tried' as const }
      expect(() => compileCatalogue([...starter, mine], parsers.extract)).not.toThrow()
      expect(parseCatalogue(block).file.examples.length).toBeGreaterThan(0)
    }
  })
})

test('who classifies nothing loads neither yaml nor re2js nor zod [CL-12]', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ resolve: (specifier, context, next) => { const found = next(specifier, context); urls.push(found.url); return found } })
    const { Classifier } = await import('@affidavit/sensor/classify/classifier')
    new Classifier(undefined).classify({ server: 'a', tool: 'b', resource: undefined }, () => undefined)
    console.log(urls.join(' '))
  `
  const flags = ['--conditions=@affidavit/source', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: root })
  expect(stdout).toMatch(/classify\/classifier\.ts/)
  expect(stdout).not.toMatch(/re2js|node_modules\/yaml|zod/)
})

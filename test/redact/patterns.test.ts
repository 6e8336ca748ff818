import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadPatterns } from '@affidavit/sensor/redact/patterns'
import { createRedactor } from '@affidavit/sensor/redact/redactor'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'content', 'patterns')
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const correlationKey = Buffer.alloc(32, 7)

describe('patterns that the project ships', () => {
  test('there are some [X-25]', () => expect(files.length).toBeGreaterThan(1))

  test.each(files)('%s loads, and every pattern has examples of both kinds that hold [X-25]', (name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    const { rules } = loadPatterns(text)
    expect(rules.length).toBeGreaterThan(0)
    const patterns = text.match(/^ {4}pattern:/gm)?.length ?? 0
    expect(text.match(/^ {6}match:/gm)?.length ?? 0).toBe(patterns)
    expect(text.match(/^ {6}noMatch:/gm)?.length ?? 0).toBe(patterns)
  })
})

describe('documentation', () => {
  const text = readFileSync(join(root, 'docs', 'REDACTION.md'), 'utf8')
  const block = (language: string, index: number) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))][index]?.[1] ?? ''

  test('its patterns file redacts its input into its output [X-25]', () => {
    const redactor = createRedactor({ correlationKey, patterns: loadPatterns(block('yaml', 0)) })
    const { text: out, removed } = redactor.redactJson(Buffer.from(block('json', 0).trim()))
    expect(JSON.parse(Buffer.from(out).toString())).toEqual(JSON.parse(block('json', 1)))
    expect(removed.map(({ path, rule }) => ({ path, rule }))).toEqual(JSON.parse(block('json', 2)))
  })
})

test('a redactor without patterns loads neither yaml nor re2js nor zod [X-26]', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ resolve: (specifier, context, next) => { const found = next(specifier, context); urls.push(found.url); return found } })
    const { createRedactor } = await import('@affidavit/sensor/redact/redactor')
    createRedactor({ correlationKey: new Uint8Array(32) }).redactText('token=1')
    console.log(urls.join(' '))
  `
  const flags = ['--conditions=@affidavit/source', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: root })
  expect(stdout).toMatch(/redact\/redactor\.ts/)
  expect(stdout).not.toMatch(/re2js|node_modules\/yaml|zod/)
})

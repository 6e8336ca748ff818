import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toJsonSchema } from '../../packages/sensor/src/capture/ingest/exchange-schema.ts'
import { openReceiver, type Receiver } from '../../packages/sensor/src/capture/ingest/testdata/receiver.ts'

const docs = join(import.meta.dirname, '../../docs')
const page = readFileSync(join(docs, 'INGEST.md'), 'utf8')
const run = promisify(execFile)

function examples(language: string): string[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text = '']) =>
    of === language ? [text] : [],
  )
}

let receiver: Receiver
beforeAll(async () => {
  receiver = await openReceiver()
})
afterAll(() => receiver.close())
const here = (text: string) => text.replaceAll('127.0.0.1:4318', `127.0.0.1:${receiver.port}`)

describe('docs/INGEST.md', () => {
  it('its shell examples run, and what they report is recorded [IG-10]', async () => {
    const shell = examples('sh').filter((text) => text.includes('curl'))
    expect(shell).toHaveLength(2)
    const before = receiver.records.length
    for (const text of shell) {
      const { stdout } = await run('sh', ['-c', here(text)], { timeout: 10_000 })
      expect(JSON.parse(stdout)).toHaveProperty('accepted')
    }
    expect(receiver.records.length - before).toBe(6)
  })

  it('its Python example runs: the request is on record before the call goes on [IG-10]', async () => {
    const before = receiver.records.length
    const [python = ''] = examples('python')
    const stops =
      'def fail(name, arguments): raise TimeoutError\ntry: audited(fail, "count_items", {})\nexcept TimeoutError: pass\n'
    await run('python3', ['-c', `${here(python)}\n${stops}`], { timeout: 10_000 })
    const stages = receiver.records.slice(before).map(({ draft }) => ('outcome' in draft ? draft.outcome : draft.kind))
    expect(stages).toEqual(['call', 'success', 'call', 'timeout'])
  })

  it('the published schema is the one that parses [IG-10]', () => {
    expect(JSON.parse(readFileSync(join(docs, 'schema/ingest.schema.json'), 'utf8'))).toEqual(toJsonSchema())
  })

  it('the schema accepts what the examples send, and refuses what the receiver refuses [IG-10]', () => {
    const validate = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(toJsonSchema())
    const sent = [
      ...examples('sh')
        .join('')
        .matchAll(/'(\{[\s\S]*?\})'/g),
    ].map(([, text = '']) => JSON.parse(text))
    expect(sent).toHaveLength(3)
    for (const exchange of sent) {
      expect(validate(exchange)).toBe(true)
      expect(validate({ ...exchange, extra: 1 })).toBe(false)
      expect(validate({ ...exchange, vantage: 'gateway' })).toBe(false)
      expect(validate({ ...exchange, params: [] })).toBe(false)
      expect(validate({ ...exchange, requestId: null })).toBe(false)
    }
  })
})

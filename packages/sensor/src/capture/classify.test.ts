import type { Draft, RequestedHeader } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { parseOutput } from '@affidavit/evidence/record/output-section'
import { parseResources } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { describe, expect, it } from 'vitest'
import { Classifier } from '../classify/classifier.ts'
import { compileCatalogue } from '../classify/compile.ts'
import { createDigester } from '../crypto/digester.ts'
import { readLocalFacts } from '../identity/local.ts'
import { createRedactor } from '../redact/redactor.ts'
import { Capture } from './capture.ts'
import { readClock } from './clock.ts'
import type { CaptureContext } from './context.ts'
import type { CapturedLine } from './line.ts'
import { stdioOrigin } from './origin.ts'
import { scanBytes } from './scan.ts'

const correlationKey = new Uint8Array(32).fill(3)
const redactor = createRedactor({ correlationKey })
const digest = createDigester(correlationKey)
const facts = readLocalFacts(undefined)
const origin = stdioOrigin(facts)
const uuid = '01932c4e-0000-7000-8000-000000000000'
const core = {
  v: 1, tenant: 'default', epoch: '2026q4', streamId: uuid, seq: 0, bootId: uuid,
  time: '2026-11-20T11:03:40.123Z', monotonicUs: 1, sections: {},
} as const // biome-ignore format: one header

const catalogue = `version: 1
entries:
  - { id: get, server: crm, tool: get, sensitivity: confidential, effect: read, dataTypes: [customer], owner: sales, subjectClass: customer }
  - { id: put, server: crm, tool: put, effect: write }
  - { id: drop, server: crm, tool: drop, effect: destructive }
  - { id: mail, server: crm, tool: mail, effect: external-send, extract: [{ as: recipient, from: /to }] }
  - { id: files, server: crm, tool: files, sensitivity: internal, effect: read, extract: [{ as: path, from: /paths }, { as: url, from: /url }] }
  - { id: secret, server: crm, tool: files, when: [{ argument: /paths, path: '/hr/**' }], sensitivity: restricted }
  - { id: open, server: crm, resource: 'crm://public/**', sensitivity: public, effect: read, extract: [{ as: url, from: /uri }] }
`

function open(changes: Partial<CaptureContext> = {}) {
  const records: { draft: Draft; sections: Sections }[] = []
  const said: string[] = []
  const capture = new Capture({
    emit: async (draft, sections) => {
      encodeHeader({ ...core, ...draft })
      records.push({ draft, sections })
      return { recorded: true, hash: new Uint8Array(32) }
    },
    redactor,
    digest,
    level: 'full',
    serverName: 'crm',
    facts,
    vantage: 'gateway',
    classifier: new Classifier(compileCatalogue([{ label: 'mine', text: catalogue, examples: 'tried' }])),
    diagnose: (code) => said.push(code),
    ...changes,
  })
  return { capture, records, said }
}

function toLine(message: unknown, direction: CapturedLine['direction'] = 'client-to-server'): CapturedLine {
  const bytes = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))
  return { direction, scanned: scanBytes(bytes), arrived: readClock(), ending: 'terminated', bytes, origin }
}

let nextId = 1
/** One exchange, and what its records say. */
async function exchange(
  opened: ReturnType<typeof open>,
  method: string,
  params: unknown,
  result: unknown = { content: [] },
) {
  const id = nextId++
  const request = toLine({ jsonrpc: '2.0', id, method, params })
  await opened.capture.take(request)
  await opened.capture.take(toLine({ jsonrpc: '2.0', id, result }, 'server-to-client'))
  const [requested, completed] = opened.records.splice(0).filter(({ draft }) => 'stage' in draft)
  if (requested === undefined || completed === undefined) throw new Error('there are no records')
  const { draft, sections } = requested
  const resources = sections.resources === undefined ? undefined : parseResources(sections.resources)
  const text = (each: Sections) => Object.values(each).map((bytes) => Buffer.from(bytes).toString()).join('\n') // biome-ignore format: one line
  return {
    header: draft as RequestedHeader,
    resources,
    names: resources?.resources.map(({ type, name }) => `${type} ${name}`),
    output: completed.sections.output === undefined ? undefined : parseOutput(completed.sections.output),
    text: `${JSON.stringify(draft)}\n${text(sections)}\n${JSON.stringify(completed.draft)}\n${text(completed.sections)}`,
  }
}
const call = (opened: ReturnType<typeof open>, name: string, args: unknown, result?: unknown) =>
  exchange(opened, 'tools/call', { name, arguments: args }, result)

describe('a classified call', () => {
  it('carries level, tags and effect, and says which entries said so [CL-1]', async () => {
    const opened = open()
    const { header, resources } = await call(opened, 'get', { id: 1 })
    expect(header).toMatchObject({
      effect: 'read',
      effectClass: 'read',
      level: 'full',
      classification: { level: 'confidential', tags: ['customer'] },
    })
    expect(resources).toEqual({
      resources: [],
      omitted: 0,
      basis: {
        catalogue: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
        entries: ['mine#get'],
        level: 'mine#get',
        effect: 'mine#get',
        owner: { name: 'sales', source: 'mine#get' },
        place: { rank: 2, of: 4 },
        problems: [],
      },
    })
    const other = await call(opened, 'unknown', {})
    expect(other.header).toMatchObject({ effect: 'unknown', classification: { level: 'unclassified', tags: [] } })
    expect([other.header.effectClass, other.resources]).toEqual([undefined, undefined])
  })

  it('is of the class of the fail mode that its effect belongs to [CL-7]', async () => {
    const opened = open()
    const effects = []
    for (const tool of ['get', 'put', 'drop', 'mail', 'none']) {
      const { header } = await call(opened, tool, { to: 'a@b.test' })
      effects.push([header.effect, header.effectClass])
    }
    expect(effects).toEqual([
      ['read', 'read'], ['write', 'write'], ['write', 'destructive'], ['write', 'external-send'], ['unknown', undefined],
    ]) // biome-ignore format: one list
  })

  it('names what its arguments name, redacted, clipped and bounded [CL-6]', async () => {
    const opened = open()
    const token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'
    const url = `https://ann:hunter22@api.test/x?token=${token}&long=${'y'.repeat(2_000)}`
    const { names, text, resources } = await call(opened, 'files', { paths: ['/a/../b', `/t/${token}`, '/b'], url })
    expect(names?.slice(0, 2)).toEqual(['path /b', 'path /t/[REDACTED:github-token]'])
    expect(names?.[2]).toMatch(/^uri https:\/\/api\.test\/x\?token=\[REDACTED:[a-z-]+\].*…$/)
    expect(Buffer.byteLength(resources?.resources[2]?.name ?? '')).toBeLessThanOrEqual(1_024)
    expect(resources?.resources[0]).toMatchObject({ source: 'path mine#files', dataTypes: [] })
    expect(text).not.toContain(token)
    expect(text).not.toContain('hunter22')
    const mail = await call(opened, 'mail', { to: ['Ann <ann@b.test>'] })
    expect(mail.names).toEqual(['uri mailto:[REDACTED:email]', 'host b.test'])
    const many = await call(opened, 'files', { paths: Array.from({ length: 1_000 }, (_, i) => `/p/${i}`) })
    expect([many.resources?.resources.length, many.resources?.omitted]).toEqual([256, 744])
  })

  it('reading a resource is classified by its URI [CL-1]', async () => {
    const { header, names } = await exchange(open(), 'resources/read', { uri: 'crm://public/a' }, { contents: [] })
    expect(header).toMatchObject({ effect: 'read', effectClass: 'read', classification: { level: 'public' } })
    expect(names).toEqual(['uri crm://public/a', 'host public'])
  })

  it('a classifier that fails costs the classification and the values, never the record [CL-6]', async () => {
    class Broken extends Classifier {
      override classify(): never {
        throw new RangeError('quotes hunter22')
      }
    }
    const opened = open({ classifier: new Broken(undefined) })
    const { header, text } = await call(
      opened,
      'get',
      { id: 'hunter22' },
      { content: [{ type: 'text', text: 'hunter22' }] },
    )
    expect(header).toMatchObject({ effect: 'unknown', level: 'metadata', classification: { level: 'unclassified' } })
    expect(text).not.toContain('hunter22')
    expect(opened.said).toEqual(['AFD_CLASSIFICATION_FAILED'])
  })
})

describe('data of the highest level', () => {
  const value = 'plain-value-of-nobody'
  const answer = { content: [{ type: 'text', text: `${value}-answered` }] }

  it('is captured as metadata, request and result, whatever else is captured [CL-8]', async () => {
    for (const level of ['arguments', 'full'] as const) {
      const opened = open({ level })
      const args = { paths: [`/hr/${value}`, '/x'], url: `https://${value}.test/`, note: value, n: 421337 }
      const meta = { conversationId: value, task: value }
      const { header, names, output, text } = await exchange(
        opened,
        'tools/call',
        { name: 'files', arguments: args, _meta: meta },
        answer,
      )
      expect(header).toMatchObject({ level: 'metadata', classification: { level: 'restricted' } })
      expect(output?.text).toBeUndefined()
      expect(output?.blocks).toHaveLength(1)
      const keyed = `${digest('').slice(0, 9)}[A-Za-z0-9+/]{43}=`
      expect(names?.join('\n')).toMatch(new RegExp(`^path ${keyed}\npath ${keyed}\nuri ${keyed}\nhost ${keyed}$`))
      expect(text).not.toContain(value)
      expect(text).not.toContain('421337')
      const after = await call(opened, 'files', { paths: [`/x/${value}`] }, answer)
      expect(after.header.level).toBe(level)
      expect(after.text).toContain(`/x/${value}`)
      expect(after.output?.text === undefined).toBe(level === 'arguments')
    }
  })

  it('is kept out of the result too where only the server knew of it [CL-8]', async () => {
    const opened = open()
    const id = nextId++
    const request = toLine({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'get', arguments: {} } })
    await opened.capture.take(request)
    for (const { accessed } of opened.capture.callsOf(request))
      accessed.classification = { level: 'restricted', tags: [] }
    await opened.capture.take(toLine({ jsonrpc: '2.0', id, result: answer }, 'server-to-client'))
    const completed = opened.records.at(-1)
    expect(completed?.draft).toMatchObject({ stage: 'completed', classification: { level: 'restricted' } })
    expect(Buffer.from(completed?.sections.output ?? []).toString()).not.toContain(value)
  })
})

describe('annotations', () => {
  const tools = [
    { name: 'get', annotations: { readOnlyHint: false, destructiveHint: true } },
    { name: 'reader', annotations: { readOnlyHint: true } },
    { name: 'wiper', annotations: { destructiveHint: true } },
    { name: 'writer', annotations: { readOnlyHint: false, destructiveHint: false } },
    { name: 'silent', annotations: { openWorldHint: true, readOnlyHint: 'true' } },
  ]

  it.each(['metadata', 'arguments'] as const)('are a claim at level %s, and decide nothing [CL-7]', async (level) => {
    const opened = open({ level })
    await exchange(opened, 'tools/list', {}, { tools })
    const claims = []
    for (const { name } of tools) {
      const { header } = await call(opened, name, {})
      claims.push([name, header.effect, header.effectClass, header.effectClaim])
    }
    expect(claims).toEqual([
      ['get', 'read', 'read', undefined],
      ['reader', 'unknown', undefined, 'read'],
      ['wiper', 'unknown', undefined, 'destructive'],
      ['writer', 'unknown', undefined, 'write'],
      ['silent', 'unknown', undefined, undefined],
    ])
  })
})

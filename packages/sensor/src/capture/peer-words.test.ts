import type { Draft } from '@affidavit/evidence/record/header'
import type { CaptureLevel } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import { describe, expect, it } from 'vitest'
import { readLocalFacts } from '../identity/local.ts'
import { createRedactor } from '../redact/redactor.ts'
import { Capture } from './capture.ts'
import { readClock } from './clock.ts'
import type { CapturedLine } from './line.ts'
import { stdioOrigin } from './origin.ts'
import { LineScan } from './scan.ts'

const secret = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'
const marker = '[REDACTED:github-token]'
const modern = 'io.modelcontextprotocol/'

const facts = readLocalFacts(undefined)
const origin = stdioOrigin(facts)
type Sent = [direction: CapturedLine['direction'], message: Record<string, unknown>]
const asked = (id: number, method: string, params: object = {}): Sent => ['client-to-server', { id, method, params }]
const answered = (id: number, result: object): Sent => ['server-to-client', { id, result }]

/** Records of a connection on which these messages pass. */
async function capture(messages: readonly Sent[], level: CaptureLevel = 'arguments') {
  const records: { draft: Draft; sections: Sections }[] = []
  const connection = new Capture({
    emit: async (draft, sections) => {
      records.push({ draft, sections })
      return { recorded: true, hash: new Uint8Array(32) }
    },
    redactor: createRedactor({ correlationKey: new Uint8Array(32) }),
    digest: () => `00000000:${Buffer.alloc(32).toString('base64')}`,
    level,
    serverName: 'unit',
    facts,
    vantage: 'gateway',
    diagnose: () => undefined,
  })
  for (const [direction, message] of messages) {
    const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))
    const scan = new LineScan()
    scan.push(bytes)
    await connection.take({ direction, scanned: scan.end(), arrived: readClock(), ending: 'terminated', bytes, origin })
  }
  await connection.finish()
  return records.map(({ draft, sections }) => ({
    draft,
    section: (name: keyof Sections) => Buffer.from(sections[name] ?? '').toString(),
    text: [JSON.stringify(draft), ...Object.values(sections).map((bytes) => Buffer.from(bytes).toString())].join('\n'),
  }))
}

const hostile: Sent[] = [
  asked(0, 'initialize', { clientInfo: { name: `agent ${secret}`, version: secret }, protocolVersion: secret }),
  answered(0, { protocolVersion: secret, serverInfo: { name: secret, version: `1.0 ${secret}` } }),
  asked(1, 'tools/list'),
  answered(1, { tools: [{ name: secret }, { name: 'plain' }] }),
  asked(2, 'tools/call', { name: secret, _meta: { [`${modern}clientInfo`]: { name: secret, version: secret } } }),
  answered(2, {
    content: [
      { type: secret, mimeType: secret },
      { type: 'a secret with spaces: hunter2', mimeType: 'text/html;profile=mcp-app' },
    ],
    _meta: { [`${modern}serverInfo`]: { name: secret, version: secret } },
  }),
  asked(3, 'tools/call', { name: 'plain', _meta: { traceparent: secret, conversationId: secret, task: secret } }),
  answered(3, { task: { taskId: secret } }),
  asked(4, 'tasks/get', { taskId: secret }),
  asked(5, secret),
]

describe('words that a peer chose', () => {
  it('hold no secret in any header or section, at any level [C-41]', async () => {
    for (const level of ['metadata', 'arguments', 'full'] as const) {
      const records = await capture(hostile, level)
      expect(records.filter(({ draft }) => 'stage' in draft && draft.stage === 'requested')).toHaveLength(6)
      for (const { text } of records) expect(text).not.toContain(secret)
    }
  })

  it('are redacted where they stand, and kept where there is nothing to redact [C-41] [C-14]', async () => {
    const records = await capture(hostile)
    const [opening, opened, , , call, result, later] = records.filter(({ draft }) => draft.kind !== 'change')
    expect(JSON.parse(opening?.section('identity') ?? '').agent).toMatchObject({
      id: `agent ${marker}`, name: `agent ${marker}`, version: marker, assurance: 'claimed',
    }) // biome-ignore format: one actor
    expect(opened?.draft).toMatchObject({ server: { name: 'unit', reportedName: marker, version: `1.0 ${marker}` } })
    expect(opened?.draft).not.toHaveProperty('server.protocolVersion')
    expect(call?.draft).toMatchObject({ tool: { name: marker, definition: expect.any(String) } })
    expect(JSON.parse(call?.section('identity') ?? '').agent).toMatchObject({ id: marker, version: marker })
    expect(JSON.parse(result?.section('output') ?? '').blocks).toMatchObject([
      { type: marker, mimeType: marker },
      { type: 'other', mimeType: 'text/html;profile=mcp-app' },
    ])
    expect(later?.draft).toMatchObject({ tool: { name: 'plain' } })
  })
})

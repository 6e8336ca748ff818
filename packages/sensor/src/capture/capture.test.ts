import type { Draft } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { parseResources, type Resource } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLocalFacts } from '../identity/local.ts'
import type { Redactor } from '../redact/redactor.ts'
import { noteResource } from './accessed.ts'
import { Capture } from './capture.ts'
import { readClock } from './clock.ts'
import type { CaptureContext } from './context.ts'
import { defer } from './deferred.ts'
import type { CapturedLine } from './line.ts'
import { stdioOrigin } from './origin.ts'
import { LineScan } from './scan.ts'

const same: Redactor = {
  redactJson: (text) => ({ text, removed: [] }),
  redactText: (text) => ({ text, removed: [] }),
}
const digest = () => `00000000:${Buffer.alloc(32).toString('base64')}`

const facts = readLocalFacts(undefined)
const origin = stdioOrigin(facts)
const uuid = '01932c4e-0000-7000-8000-000000000000'
const core = {
  v: 1, tenant: 'default', epoch: '2026q4', streamId: uuid, seq: 0, bootId: uuid,
  time: '2026-11-20T11:03:40.123Z', monotonicUs: 1, sections: {},
} as const // biome-ignore format: one header

function open(changes: Partial<CaptureContext> = {}) {
  const records: { draft: Draft; sections: Sections }[] = []
  const said: string[] = []
  const capture = new Capture({
    emit: async (draft, sections) => {
      // Whatever a peer sent, the record must be one that the format takes.
      encodeHeader({ ...core, ...draft })
      records.push({ draft, sections })
      return { recorded: true, hash: new Uint8Array(32) }
    },
    redactor: same,
    digest,
    level: 'arguments',
    serverName: 'unit',
    facts,
    vantage: 'gateway',
    diagnose: (code) => said.push(code),
    ...changes,
  })
  return { capture, records, said }
}

function line(text: string | Uint8Array, direction: CapturedLine['direction'] = 'client-to-server'): CapturedLine {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const scan = new LineScan()
  scan.push(bytes)
  return { direction, scanned: scan.end(), arrived: readClock(), ending: 'terminated', bytes, origin }
}

describe('capture', () => {
  it('a redactor that throws costs the value, not the record [C-24]', async () => {
    const fail = () => {
      throw new RangeError('quotes a secret: hunter2')
    }
    for (const level of ['metadata', 'arguments', 'full'] as const) {
      const { capture, records, said } = open({ level, redactor: { redactJson: fail, redactText: fail } })
      const lines = [
        line(
          '{"jsonrpc":"2.0","id":"hunter2","method":"hunter2","params":{"name":"hunter2","_meta":{"task":"hunter2","conversationId":"hunter2"}}}',
        ),
        line('hunter2'),
        line(
          '{"jsonrpc":"2.0","id":"hunter2","result":{"content":[{"type":"text","text":"hunter2"}]}}',
          'server-to-client',
        ),
      ]
      for (const each of lines) expect(await capture.take(each)).toEqual({ pass: true })
      expect(records.map(({ draft }) => ('stage' in draft ? draft.stage : draft.kind))).toEqual([
        'requested',
        'violation',
        'completed',
      ])
      for (const { sections } of records)
        for (const bytes of Object.values(sections)) expect(Buffer.from(bytes).toString()).not.toContain('hunter2')
      expect(new Set(said)).toEqual(new Set(['AFD_REDACTION_FAILED']))
    }
  })

  it('nothing a peer sends makes it reject [C-29]', async () => {
    const value = fc.jsonValue({ maxDepth: 4 })
    const hostile = fc
      .record(
        {
          jsonrpc: fc.oneof(fc.constant('2.0'), value),
          id: fc.oneof(fc.integer(), fc.string({ unit: 'binary' }), value),
          method: fc.oneof(
            fc.constantFrom('tools/call', 'initialize', 'tools/list', 'notifications/cancelled', '__proto__'),
            fc.string({ unit: 'binary' }),
          ),
          params: fc.oneof(
            value,
            fc.record({
              name: fc.oneof(fc.constant('__proto__'), value),
              _meta: value,
              requestId: value,
              taskId: value,
            }),
          ),
          result: fc.oneof(
            value,
            fc.record({ tools: value, content: fc.array(value), task: value, serverInfo: value, _meta: value }),
          ),
          error: fc.oneof(value, fc.record({ code: value, message: value })),
        },
        { requiredKeys: [] },
      )
      .map((message) => JSON.stringify(message))
    const lines = fc.array(
      fc.tuple(
        fc.oneof(
          hostile,
          fc.string(),
          fc.array(hostile).map((all) => `[${all.join(',')}]`),
        ),
        fc.constantFrom('client-to-server', 'server-to-client'),
      ),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom('metadata', 'arguments', 'full'), async (texts, level) => {
        const { capture, said } = open({ level })
        for (const [text, direction] of texts) {
          const verdict = await capture.take(line(text, direction))
          expect(verdict ?? { pass: true }).toEqual({ pass: true })
        }
        await capture.finish()
        expect(said.filter((code) => code !== 'AFD_REDACTION_FAILED')).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('every request is completed once, whatever happens [C-13]', async () => {
    const step = fc.record({ id: fc.nat(3), kind: fc.constantFrom('request', 'response', 'cancel') })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { capture, records } = open()
        for (const { id, kind } of steps) {
          if (kind === 'request') await capture.take(line(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`))
          else if (kind === 'response')
            await capture.take(line(`{"jsonrpc":"2.0","id":${id},"result":{}}`, 'server-to-client'))
          else
            await capture.take(
              line(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`),
            )
        }
        await capture.finish()
        const stages = (name: string) =>
          records.flatMap(({ draft }) => ('stage' in draft && draft.stage === name ? [draft.callId] : []))
        expect(stages('completed').sort()).toEqual(stages('requested').sort())
      }),
      { numRuns: 300 },
    )
  })

  it('no id keeps a request from being recorded before it goes on [C-32]', async () => {
    const ids = [`"${'x'.repeat(70_000)}"`, '7'.repeat(70_000), '{"a":1}', '[1]', 'true']
    for (const id of ids) {
      const { capture, records } = open()
      await capture.take(line(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"wipe"}}`))
      const requested = records.find(({ draft }) => 'stage' in draft && draft.stage === 'requested')
      expect(Buffer.from(requested?.sections.input ?? []).toString()).toBe('{"name":"wipe"}')
      const answer = line(`{"jsonrpc":"2.0","id":${id},"result":{}}`, 'server-to-client')
      expect(await capture.take(answer)).toEqual({ pass: true })
      const isOdd = /^[[{t]/.test(id)
      expect(records.map(({ draft }) => ('stage' in draft ? draft.stage : draft.kind))).toEqual(
        isOdd ? ['violation', 'requested', 'violation', 'completed'] : ['requested', 'completed'],
      )
      expect(records.at(-1)?.draft).toMatchObject({ outcome: 'success' })
    }
  })

  it('a request without id is recorded, marked, and ends as unknown, alone and in a batch [C-32]', async () => {
    for (const text of ['{"jsonrpc":"2.0","method":"tools\\/call","params":{"name":"wipe"}}', 'in a batch']) {
      const { capture, records } = open()
      const alone = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"wipe"}}'
      const verdict = capture.take(line(text === 'in a batch' ? `[${alone},${alone}]` : text))
      expect(verdict).toBeInstanceOf(Promise)
      expect(await verdict).toEqual({ pass: true })
      await capture.finish()
      const each = (stage: string) => records.filter(({ draft }) => 'stage' in draft && draft.stage === stage)
      expect(each('requested').map(({ sections }) => Buffer.from(sections.input ?? []).toString())).toEqual(
        Array(text === 'in a batch' ? 2 : 1).fill('{"name":"wipe"}'),
      )
      expect(each('completed').map(({ draft }) => 'outcome' in draft && draft.outcome)).toEqual(
        each('requested').map(() => 'unknown'),
      )
      expect(records.some(({ draft }) => draft.kind === 'violation' && draft.detail.code === 'not_jsonrpc')).toBe(true)
      expect(records.some(({ draft }) => draft.kind === 'notify')).toBe(false)
    }
  })

  it('a request without id, or with a long one, that cannot be recorded does not go on [C-4] [C-32]', async () => {
    const fail = async () => {
      throw new Error('no')
    }
    const long = 'x'.repeat(70_000)
    const { capture } = open({ emit: fail })
    const without = await capture.take(line('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"wipe"}}'))
    expect(without).toMatchObject({ pass: false, instead: undefined })
    for (const id of [`"${long}"`, '{"a":1}']) {
      const verdict = await capture.take(line(`{"jsonrpc":"2.0","id":${id},"method":"tools/call"}`))
      if (verdict === undefined || verdict.pass) throw new Error('it went on')
      expect(JSON.parse(Buffer.from(verdict.reply ?? []).toString())).toMatchObject({
        id: JSON.parse(id),
        error: { code: -31001 },
      })
    }
  })

  const cancel = (id: unknown, agoMs: number) => {
    const { arrived, ...rest } = line(
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${JSON.stringify(id)}}}`,
    )
    return { ...rest, arrived: { ...arrived, monotonicUs: arrived.monotonicUs - agoMs * 1000 } }
  }
  const outcomes = (records: readonly { draft: Draft }[]) =>
    records.flatMap(({ draft }) => ('outcome' in draft ? [draft.outcome] : []))

  it('a cancelled call ends as cancelled after a grace, and its late response is recognised once [C-10]', async () => {
    const { capture, records } = open()
    const codes = () => records.flatMap(({ draft }) => (draft.kind === 'violation' ? [draft.detail.code] : []))
    for (const id of [1, 2, 3]) await capture.take(line(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`))
    await capture.take(cancel(1, 6000))
    await capture.take(cancel(2, 6000))
    await capture.take(cancel(3, 1000))
    await capture.take(line('{"jsonrpc":"2.0","id":2,"result":{}}', 'server-to-client'))
    await capture.flush()
    await capture.flush()
    expect(outcomes(records)).toEqual(['success', 'cancelled'])
    for (const id of [1, 3]) await capture.take(line(`{"jsonrpc":"2.0","id":${id},"result":{}}`, 'server-to-client'))
    expect(codes()).toEqual([])
    await capture.take(line('{"jsonrpc":"2.0","id":1,"result":{}}', 'server-to-client'))
    expect(codes()).toEqual(['unmatched_response'])
    await capture.finish()
    expect(outcomes(records)).toEqual(['success', 'cancelled', 'success'])
  })

  it('a call that is cancelled while it is being recorded is cancelled too [C-10]', async () => {
    const gate = defer<void>()
    const drafts: Draft[] = []
    const { capture } = open({
      emit: async (draft) => {
        await gate.promise
        drafts.push(draft)
        return { recorded: true, hash: new Uint8Array(32) }
      },
    })
    const asked = capture.take(line('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
    await capture.take(cancel(1, 6000))
    gate.resolve()
    await asked
    await capture.flush()
    await capture.finish()
    expect(outcomes(drafts.map((draft) => ({ draft })))).toEqual(['cancelled'])
  })

  it("a server's unanswered requests do not use up the client's room [C-4]", async () => {
    const { capture } = open({ emit: async () => ({ recorded: true, hash: new Uint8Array(32) }) })
    const flood = Array.from({ length: 65_537 }, (_, id) =>
      capture.take(line(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`, 'server-to-client')),
    )
    expect(await capture.take(line('{"jsonrpc":"2.0","id":1,"method":"ping"}'))).toEqual({ pass: true })
    expect(await flood.at(-1)).toMatchObject({ pass: false })
  })

  it('what somebody knows of a call beside its messages is recorded with its outcome [MW-7]', async () => {
    const full = new Error('full')
    const sizes: number[] = []
    const { capture, records } = open({
      emit: async (draft, sections) => {
        if ('stage' in draft && draft.stage === 'completed') {
          sizes.push(parseResources(sections.resources ?? new Uint8Array(0)).resources.length)
          if (sizes.at(-1) === 256) throw Object.assign(full, { code: 'spool_full' })
        }
        records.push({ draft, sections })
        return { recorded: true, hash: new Uint8Array(32) }
      },
    })
    const asked = line('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query"}}')
    await capture.take(asked)
    const [call] = capture.callsOf(asked)
    if (call === undefined) throw new Error('the call is not open')
    for (let i = 0; i < 300; i++)
      noteResource(call.accessed, { type: 'table', name: `t${i}`, dataTypes: ['email'], rows: 3, source: 'unit' })
    call.accessed.classification = { level: 'restricted', tags: ['pii'] }
    await capture.take(line('{"jsonrpc":"2.0","id":1,"result":{}}', 'server-to-client'))
    expect(capture.callsOf(asked)).toEqual([])
    // Where there is no room for all of it, what is left says how much there was.
    expect(sizes).toEqual([256, 0])
    const last = records.at(-1)
    expect(last?.draft).toMatchObject({ callId: call.callId, classification: { level: 'restricted', tags: ['pii'] } })
    expect(parseResources(last?.sections.resources ?? new Uint8Array(0))).toEqual({ resources: [], omitted: 300 })
  })

  it('a call that ends without a response keeps what is known of it [MW-7]', async () => {
    const { capture, records } = open()
    const asked = line('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query"}}')
    await capture.take(asked)
    const [call] = capture.callsOf(asked)
    if (call === undefined) throw new Error('the call is not open')
    const resource: Resource = { type: 'table', name: 'customers', dataTypes: [], source: 'unit' }
    noteResource(call.accessed, resource)
    await capture.finish()
    expect(records.at(-1)?.draft).toMatchObject({ outcome: 'transport_error' })
    const { resources } = records.at(-1)?.sections ?? {}
    expect(parseResources(resources ?? new Uint8Array(0))).toEqual({ resources: [resource], omitted: 0 })
  })

  it('at too many open calls new ones are refused, not forgotten [C-4]', async () => {
    const { capture } = open()
    for (let id = 0; id < 65_536; id++) void capture.take(line(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`))
    const verdict = await capture.take(line('{"jsonrpc":"2.0","id":"one more","method":"ping"}'))
    expect(verdict).toMatchObject({ pass: false })
    if (verdict === undefined || verdict.pass) return
    expect(JSON.parse(Buffer.from(verdict.reply ?? []).toString())).toMatchObject({
      id: 'one more',
      error: { data: { cause: 'too_many_in_flight' } },
    })
  })
})

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Draft } from '@affidavit/evidence/record/header'
import { afterEach, describe, expect, it } from 'vitest'
import { openReceiver, type Receiver, text } from '../../packages/sensor/src/capture/ingest/testdata/receiver.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, 'harness/weather.ts')

async function exportTo({ port }: Receiver, encoding: string, env: Record<string, string> = {}): Promise<string> {
  const { stderr, stdout } = await run(process.execPath, [program, encoding], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port}/v1/traces`, ...env },
    timeout: 30_000,
  })
  return stdout + stderr
}

const open: Receiver[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((receiver) => receiver.close()))
})
async function receive(...args: Parameters<typeof openReceiver>): Promise<Receiver> {
  const receiver = await openReceiver(...args)
  open.push(receiver)
  return receiver
}

type Half<Stage> = Extract<Draft, { stage: Stage }>
const isRequested = (draft: Draft): draft is Half<'requested'> => 'stage' in draft && draft.stage === 'requested'
const isCompleted = (draft: Draft): draft is Half<'completed'> => 'stage' in draft && draft.stage === 'completed'

describe('the official OpenTelemetry exporters', () => {
  it.each([
    ['proto', {}],
    ['proto', { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }],
    ['json', {}],
    ['json', { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }],
  ])('%s %j: their spans become records [IG-11] [IG-12]', async (encoding, env) => {
    const receiver = await receive()
    expect(await exportTo(receiver, encoding, env)).toBe('')
    const drafts = receiver.records.map(({ draft }) => draft)
    const requested = drafts.filter(isRequested)
    const completed = drafts.filter(isCompleted)
    const outcomeOf = ({ callId }: Half<'requested'>) => completed.find((each) => each.callId === callId)?.outcome
    const seen = requested.map((each) => `${each.vantage} ${each.method} ${each.server.name} ${outcomeOf(each)}`)
    expect(seen.sort()).toEqual([
      'client tools/call weather.example:8443 success',
      'server tools/call weather-server success',
      'server tools/call weather-server tool_error',
      'server tools/list weather-server protocol_error',
    ])
    expect(new Set([...requested, ...completed].map(({ reported }) => reported))).toEqual(new Set(['otlp']))
    // Both ends of one call name the same trace, span, session and request.
    const pair = requested.filter(({ sessionSource }) => sessionSource === 'legacy-http')
    expect(pair.map(({ vantage }) => vantage).sort()).toEqual(['client', 'server'])
    for (const key of ['traceId', 'spanId', 'sessionId', 'requestIdDigest'] as const)
      expect(pair[0]?.[key]).toBe(pair[1]?.[key])
    const kept = receiver.records.flatMap(({ sections }) => Object.values(sections).map(text)).join('\n')
    expect(kept).toContain('"token":"[REDACTED:github-token]"')
    expect(kept).not.toMatch(/ghp_|191c4850af6c|sunny/)
  })

  it('wait and send again when the receiver cannot record, and nothing is recorded twice [IG-13] [IG-2]', async () => {
    const state = { emits: 0, durable: [] as string[] }
    const receiver = await receive({
      emit: async (draft) => {
        if (++state.emits <= 2) throw Object.assign(new Error('x'), { code: 'spool_full', retry: true })
        if ('stage' in draft) state.durable.push(draft.stage)
        return { recorded: true, hash: new Uint8Array(32) }
      },
    })
    expect(await exportTo(receiver, 'proto')).toBe('')
    expect(state.durable.filter((stage) => stage === 'requested')).toHaveLength(4)
    expect(state.durable.filter((stage) => stage === 'completed')).toHaveLength(4)
  })

  it('present the token they were given [IG-8]', async () => {
    const receiver = await receive({ tokens: ['a-long-token'] })
    await expect(exportTo(receiver, 'proto')).rejects.toThrow('code: 401')
    expect(receiver.records).toEqual([])
    expect(
      await exportTo(receiver, 'proto', { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a-long-token' }),
    ).toBe('')
    expect(receiver.records).toHaveLength(8)
  })
})

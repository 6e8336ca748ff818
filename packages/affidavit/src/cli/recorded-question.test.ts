import { encodeDecision } from '@affidavit/evidence/record/decision-section'
import { type EnvironmentSection, encodeEnvironment } from '@affidavit/evidence/record/environment-section'
import type { RequestedHeader } from '@affidavit/evidence/record/header'
import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import type { Posture } from '@affidavit/evidence/record/posture'
import type { Sections } from '@affidavit/evidence/record/sections'
import { describe, expect, it } from 'vitest'
import type { FetchedRecord } from '../query/fetch.ts'
import { reconstruct } from './recorded-question.ts'

const none = { absent: 'none' }
const identity = encodeIdentity({ agent: none, workload: none, user: none, role: none, token: none, delegation: [] })
const hash = `${'A'.repeat(43)}=`
const header: RequestedHeader = {
  v: 1,
  tenant: 'default',
  epoch: '2026q4',
  streamId: '019aa0f5-999b-7001-8a2b-3c4d5e6f7081',
  seq: 0,
  bootId: '019aa0f5-999b-7001-8a2b-3c4d5e6f7081',
  time: '2026-11-20T11:00:00.000Z',
  monotonicUs: 1,
  sections: {},
  kind: 'call',
  stage: 'requested',
  vantage: 'gateway',
  direction: 'to-server',
  callId: '019aa0f5-999b-7001-8a2b-3c4d5e6f7081',
  sessionSource: 'absent',
  sessionReason: 'none',
  method: 'tools/call',
  requestIdDigest: `00000000:${hash}`,
  server: { name: 's' },
  effect: 'unknown',
  level: 'arguments',
  inputBytes: 1,
  classification: { level: 'internal', tags: [] },
  decision: { disposition: 'granted', mode: 'observe' },
}
const environment: EnvironmentSection = {
  host: none,
  processes: none,
  network: none,
  ids: {},
  redactions: [],
  redactionsOmitted: 0,
}
const listed = { tool: { name: 't', definition: hash } }

function read(input: string | undefined, changes: Partial<RequestedHeader> = {}, sections: Partial<Sections> = {}) {
  const record: FetchedRecord<RequestedHeader> = {
    leaf: 0,
    entry: new Uint8Array(0),
    header: { ...header, ...listed, ...changes },
    envelope: { v: 1, observedTime: header.time },
    body: 'opened',
    sections: {
      identity,
      environment: encodeEnvironment(environment),
      ...(input === undefined ? {} : { input: Buffer.from(input) }),
      ...sections,
    },
  }
  const asked = reconstruct(record)
  if (asked.is !== 'question') return asked
  const { request, missing, recorded } = asked.question
  return {
    json: request.arguments === undefined ? undefined : Buffer.from(request.arguments).toString(),
    missing: missing.map((place) => place.join('.')).filter((place) => place !== 'context.risk'),
    target: request.target,
    recorded,
  }
}

describe('a call that is reconstructed from its record', () => {
  it.each([
    ['as they were', '{"name":"t","arguments":{"a":1,"b":[2]}}', '{"a":1,"b":[2]}', []],
    ['none', '{"name":"t"}', undefined, []],
    [
      'with a value that was redacted',
      '{"arguments":{"a":1,"b":{"c":"x [REDACTED:y]"}}}',
      '{"a":1,"b":{"c":"x [REDACTED:y]"}}',
      ['context.arguments.b'],
    ],
    [
      'with keys that were redacted, and may have differed',
      '{"arguments":{"b":{"[REDACTED:y]":1,"[REDACTED:y]":2}}}',
      undefined,
      ['context.arguments'],
    ],
    ['with a key that came twice', '{"arguments":{"a":1,"a":2}}', '{"a":1,"a":2}', []],
    ['twice', '{"arguments":{"a":1},"arguments":{}}', undefined, ['context.arguments']],
    ['as shapes', '{"$shape":{"arguments":"object"},"bytes":9}', undefined, ['context.arguments']],
    ['left out', '{"$elided":{"reason":"too_large"}}', undefined, ['context.arguments']],
    ['erased', undefined, undefined, ['context.arguments']],
  ])('has its arguments %s [PO-24]', (_, input, json, missing) => {
    expect(read(input)).toMatchObject({ json, missing, target: { type: 'Tool', name: 't', isListed: true } })
  })

  it('names what else is not on record [PO-24]', () => {
    const posture: Posture = {
      source: 'file',
      state: 'fresh',
      takenAt: header.time,
      ageMs: 1,
      signals: [{ name: 'disk.encrypted', value: 'true' }],
      omitted: 0,
    }
    const section = encodeEnvironment({ ...environment, posture })
    expect(read('null', {}, { environment: section })).toMatchObject({ missing: ['context.posture.signals'] })
    const session = { sessionSource: 'trace', sessionId: 'a'.repeat(32) } as const
    expect(read('null', session)).toMatchObject({ missing: ['context.session'] })
    expect(read('null', { sections: { resources: hash } })).toMatchObject({
      missing: ['resource.dataTypes', 'resource.accesses'],
    })
    const decision = { engine: none, policies: [], conditions: [], obligations: [], rationale: 'x' }
    expect(read('null', {}, { decision: encodeDecision(decision) })).toMatchObject({ recorded: decision })
  })

  it('is unknown where it does not say who asked for what, and is not asked where nobody was [PO-24]', () => {
    const { tool: _, ...unlisted } = listed
    const withoutTool: Partial<RequestedHeader> = {
      ...unlisted,
      tool: { nameDigest: `00000000:${hash}`, definition: 'unlisted' },
    }
    expect(read('{"name":"x [REDACTED:y]"}', withoutTool)).toEqual({ is: 'unknown', lacks: 'resource' })
    expect(read(undefined, withoutTool)).toEqual({ is: 'unknown', lacks: 'resource' })
    expect(read('{"name":"x"}', withoutTool)).toMatchObject({ target: { name: 'x', isListed: false } })
    for (const changes of [{ kind: 'list' }, { direction: 'to-client' }, { reported: 'otlp' }] as const)
      expect(read('null', changes)).toEqual({ is: 'not_asked' })
  })
})

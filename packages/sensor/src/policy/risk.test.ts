import { encodeIdentity, type IdentitySection } from '@affidavit/evidence/record/identity-section'
import type { RiskSignal } from '@affidavit/evidence/record/risk'
import { describe, expect, it } from 'vitest'
import { createRiskFinder } from './risk.ts'

const grounds = { assurance: 'claimed', method: 'test', source: 'test' } as const
const section: IdentitySection = {
  agent: { ...grounds, id: 'bot' },
  workload: { absent: 'none' },
  user: { ...grounds, id: 'alice' },
  role: { absent: 'none' },
  token: { absent: 'none' },
  delegation: [{ ...grounds, id: 'pipeline' }],
}
const now = Date.UTC(2026, 10, 20, 11)
const until = '2026-11-20T12:00:00.000Z'
const involved = { identity: encodeIdentity(section), server: 'crm', session: 'abc', nowMs: now }
const digest = (value: string) => `00000000:${Buffer.from(value.padEnd(32)).toString('base64')}`
const find = (...signals: RiskSignal[]) => createRiskFinder(signals)(involved, digest)

describe('signals of risk', () => {
  it('are found by whom they are about, by id and by digest, the highest level with every reason [PO-22]', () => {
    expect(find()).toBeUndefined()
    expect(find({ kind: 'user', id: 'bob', level: 'high', until })).toBeUndefined()
    expect(find({ kind: 'agent', id: 'alice', level: 'high', until })).toBeUndefined()
    expect(
      find(
        { kind: 'user', id: 'alice', level: 'medium', until, reason: 'new country' },
        { kind: 'agent', digest: digest('bot'), level: 'critical', until },
        { kind: 'server', id: 'crm', level: 'low', until },
        { kind: 'initiator', id: 'pipeline', level: 'low', until },
        { kind: 'session', id: 'abc', level: 'low', until, reason: 'flagged' },
      ),
    ).toEqual({ level: 'critical', reasons: ['server', 'session: flagged', 'agent', 'user: new country', 'initiator'] })
  })

  it('end when they say so [PO-22]', () => {
    const signal = { kind: 'user', id: 'alice', level: 'high' } as const
    expect(find({ ...signal, until: '2026-11-20T11:00:00.000Z' })).toBeUndefined()
    expect(find({ ...signal, until: '2026-11-20T11:00:00.001Z' })).toMatchObject({ level: 'high' })
  })
})

import { expect, it } from 'vitest'
import type { LogEvent } from '../query/sqlite/events.ts'
import { describeDetail } from './tail-detail.ts'

const event = { leaf: 1, timeMs: 0, kind: 'call', event: 'success', server: 'crm' } as const

/** What happened, and what a line of `tail` says of it. */
const cases: [Partial<LogEvent>, string][] = [
  [{ vantage: 'gateway', httpStatus: 200, latencyUs: 4_200, bytes: 180 }, '4.2 ms, 180 B'],
  [{ vantage: 'gateway', httpStatus: 502, latencyUs: 4_200, bytes: 180 }, 'HTTP 502, 4.2 ms, 180 B'],
  [{ vantage: 'server', event: 'requested', agent: 'claude', bytes: 90 }, 'claude, 90 B, at server'],
  [{ vantage: 'client', reported: 'otlp', latencyUs: 400 }, 'reported, 0.4 ms, at client'],
  [
    {
      kind: 'auth',
      event: 'exchanged',
      user: 'ana',
      detail: '{"event":"exchanged","grant":"token-exchange","expires":"2026-11-20T12:00:00.000Z","upstreamExpires":"2026-11-20T11:05:00.000Z"}',
    },
    'ana, token-exchange, until 2026-11-20 11:05:00',
  ],
  [{ kind: 'auth', event: 'refused', detail: '{"event":"refused","code":"token_expired","count":12}' }, '12 times, token_expired'],
  [{ kind: 'auth', event: 'refused', user: 'ana', detail: '{"event":"refused","mode":"observe","code":"wrong_audience"}' }, 'wrong_audience, ana, only observed'],
  [{ kind: 'approval', event: 'approved', user: 'maria', detail: '{"until":"2026-11-20T12:00:00.000Z"}' }, 'maria, until 2026-11-20 12:00:00'],
  [{ kind: 'violation', event: 'header_mismatch', detail: '{"code":"header_mismatch","direction":"to-server","bytes":86}' }, 'to-server, 86 B'],
  [{ kind: 'violation', event: 'undecodable', detail: '{"code":"undecodable","bytes":1200}' }, '1.2 kB'],
  [{ kind: 'stream', event: 'closed', detail: '{"event":"closed","reason":"exit"}' }, ''],
] // biome-ignore format: one table

it('a line of tail says what HTTP brought: status, vantage, who told, whose credential, what was wrong [VA-11]', () => {
  for (const [change, text] of cases) expect([text, describeDetail({ ...event, ...change })]).toEqual([text, text])
})

import { encodePurpose, parsePurpose, purposeKinds } from '@affidavit/evidence/record/purpose-section'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMetaClaims } from './claims.ts'

const keep = (text: string) => text
const purposeOf = (meta: object, redact = keep) => readMetaClaims(meta, redact).purpose

describe('purpose', () => {
  it('keeps task, intent, reason and turn, each with where it was read, the first key of each [TR-3]', () => {
    const meta = {
      turn_id: 'ignored',
      'affidavit/turn': 't-1',
      'affidavit/reason': 'to answer',
      userIntent: 'know the total',
      'affidavit/task': 'report',
      purpose: 'ignored',
    }
    expect(purposeOf(meta)).toEqual({
      ...{ kind: 'task', statement: 'report', source: '_meta.affidavit/task', assurance: 'claimed' },
      more: [
        { kind: 'intent', statement: 'know the total', source: '_meta.userIntent' },
        { kind: 'reason', statement: 'to answer', source: '_meta.affidavit/reason' },
        { kind: 'turn', statement: 't-1', source: '_meta.affidavit/turn' },
      ],
    })
  })
  it.each([
    ['VS Code', { 'vscode.requestId': 'r-1', 'vscode.conversationId': 'c-1' }, 'vscode.requestId'],
    ['Codex', { 'x-codex-turn-metadata': { turn_id: 'r-1', session_id: 'c-1' } }, 'x-codex-turn-metadata.turn_id'],
    [
      'Codex as text',
      { 'x-codex-turn-metadata': '{"turn_id":"r-1","session_id":"c-1"}' },
      'x-codex-turn-metadata.turn_id',
    ],
  ])('of %s, turn and conversation are known [TR-3]', (_client, meta, key) => {
    const { purpose, conversation } = readMetaClaims(meta, keep)
    expect(purpose).toEqual({ kind: 'turn', statement: 'r-1', source: `_meta.${key}`, assurance: 'claimed' })
    expect(conversation).toBe('c-1')
  })
  it('is redacted before it is cut, and fits the record whatever was sent [TR-3]', () => {
    const secret = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz'
    const redact = (text: string) => text.replaceAll(secret, '[gone]')
    const purpose = purposeOf({ task: `${'x'.repeat(4080)}${secret}` }, redact)
    expect(purpose?.statement).toBe(`${'x'.repeat(4080)}[gone]`)
    const keys = ['affidavit/task', 'affidavit/user-intent', 'affidavit/reason', 'affidavit/turn']
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('\u0000'.repeat(9000), '\ud800'.repeat(9000), '', '😀'.repeat(4000), null, 7, {}, []),
    )
    fc.assert(
      fc.property(fc.tuple(hostile, hostile, hostile, hostile), (values) => {
        const read = purposeOf(Object.fromEntries(keys.map((key, i) => [key, values[i]])))
        const told = values.filter((value) => typeof value === 'string' && value !== '').length
        expect(read === undefined ? 0 : 1 + (read.more?.length ?? 0)).toBe(told)
        if (read !== undefined) expect(parsePurpose(encodePurpose(read))).toEqual(read)
      }),
    )
    expect(purposeKinds).toHaveLength(keys.length)
  })
})

it('the call that one is made for is an id or nothing [TR-6]', () => {
  const id = '01968d1e-0000-7000-8000-000000000001'
  const parentOf = (value: unknown) => readMetaClaims({ 'affidavit/parent-call': value }, keep).parentCallId
  expect(parentOf(id)).toBe(id)
  for (const value of [id.toUpperCase(), `${id} `, '4bf92f35-77b3-4da6-a3ce-929d0e0e4736', 7, null, [id]])
    expect(parentOf(value)).toBeUndefined()
})

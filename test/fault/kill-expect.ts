import { expect } from 'vitest'
import { isCompleted, isRequested } from '../../packages/affidavit/src/collect/open-calls.ts'
import type { KillResult } from './kill-run.ts'

/** What must hold after any number of kills at any points. */
export function expectNothingLost(result: KillResult): void {
  const { acknowledged, sequenced, headers, problems, segmentsLeft, lastExitCode } = result
  expect(lastExitCode).toBe(0)
  // Without acknowledgements the rest would hold of an empty log too.
  expect(acknowledged.size).toBeGreaterThan(result.kills.sensor + result.kills.both)
  const inLog = new Set(sequenced)
  expect([...acknowledged].filter((record) => !inLog.has(record))).toEqual([])
  expect(sequenced.length).toBe(inLog.size)
  expect(problems).toEqual([])
  expect(segmentsLeft).toEqual([])

  const requested = headers.filter(isRequested)
  const completed = headers.filter(isCompleted)
  expect(completed.map(({ callId }) => callId).sort()).toEqual(requested.map(({ callId }) => callId).sort())
  const unknown = completed.filter(({ outcome }) => outcome === 'unknown')
  // Eight callers at a time: nearly every killed sensor left some of them waiting.
  expect(unknown.length).toBeGreaterThan(0)
  const streamOf = new Map(requested.map(({ callId, streamId }) => [callId, streamId]))
  expect(unknown.filter(({ callId, streamId }) => streamOf.get(callId) === streamId)).toEqual([])
}

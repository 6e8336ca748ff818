import { expect } from 'vitest'
import { isCompleted, isRequested } from '../../packages/affidavit/src/collect/open-calls.ts'
import { killUnderLoad } from './kill-run.ts'

/** What must hold after any number of kills at any points. */
export async function expectNothingLost(kills: number): Promise<void> {
  const seed = Number(process.env.AFFIDAVIT_KILL_SEED ?? Date.now() % 2 ** 31)
  console.info(`kill seed ${seed} (repeat with AFFIDAVIT_KILL_SEED)`)
  const result = await killUnderLoad({ kills, seed })
  console.info(`killed ${JSON.stringify(result.kills)}, ${result.acknowledged.size} records acknowledged`)
  expect(Object.values(result.kills).reduce((sum, count) => sum + count, 0)).toBe(kills)
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

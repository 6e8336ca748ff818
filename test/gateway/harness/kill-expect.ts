import { expect } from 'vitest'
import { killGateway } from './kill-run.ts'

/** What must hold after any number of kills at any points. */
export async function expectNothingLost(kills: number): Promise<void> {
  const seed = Number(process.env.AFFIDAVIT_KILL_SEED ?? Date.now() % 2 ** 31)
  const killed = await killGateway({ kills, seed })
  const { reached, answered, outcomes, outcomesOf, verified } = killed
  console.info(
    `seed ${seed}: ${reached.length} calls reached the server, ${answered.length} were answered, ${outcomes.length} recorded`,
  )
  // Without calls the rest would hold as well.
  expect(answered.length).toBeGreaterThan(kills * 20)
  expect(reached.length).toBeGreaterThan(answered.length)
  // Whatever reached the server is recorded, once; whatever the client got is recorded with its outcome.
  expect(reached.filter((id) => outcomesOf(id).length !== 1)).toEqual([])
  expect(answered.filter((id) => outcomesOf(id)[0] !== 'success')).toEqual([])
  expect(outcomes.filter((outcome) => outcome === undefined)).toEqual([])
  expect(outcomes.filter((outcome) => outcome === 'unknown').length).toBeGreaterThan(0)
  expect(verified.code, verified.out).toBe(0)
}

import { expect, test } from 'vitest'
import { expectNothingLost } from './kill-expect.ts'
import { killUnderLoad } from './kill-run.ts'

const kills = 100

test(`${kills} kills of sensor, collector and both lose and double nothing; interrupted calls are unknown [S-10]`, {
  timeout: 300_000,
}, async () => {
  const seed = Number(process.env.AFFIDAVIT_KILL_SEED ?? Date.now() % 2 ** 31)
  console.info(`kill seed ${seed} (repeat with AFFIDAVIT_KILL_SEED)`)
  const result = await killUnderLoad({ kills, seed })
  console.info(`killed ${JSON.stringify(result.kills)}, ${result.acknowledged.size} records acknowledged`)
  expectNothingLost(result)
  expect(Object.values(result.kills).reduce((sum, count) => sum + count, 0)).toBe(kills)
})

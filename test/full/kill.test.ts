import { test } from 'vitest'
import { expectNothingLost } from '../fault/kill-expect.ts'

const kills = Number(process.env.AFFIDAVIT_KILLS ?? 1000)

test(
  `${kills} kills of sensor, collector and both lose and double nothing; interrupted calls are unknown [S-10]`,
  { timeout: 3_000_000 },
  () => expectNothingLost(kills),
)

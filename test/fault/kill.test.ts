import { test } from 'vitest'
import { expectNothingLost } from './kill-expect.ts'

const kills = 100

test(
  `${kills} kills of sensor, collector and both lose and double nothing; interrupted calls are unknown [S-10]`,
  { timeout: 300_000 },
  () => expectNothingLost(kills),
)

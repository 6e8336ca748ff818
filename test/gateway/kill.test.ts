import { it } from 'vitest'
import { expectNothingLost } from './harness/kill-expect.ts'

const kills = 6

it(
  `${kills} kills under 200 concurrent calls: nothing acknowledged is lost, no call is without an outcome [GW-27]`,
  {
    timeout: 240_000,
  },
  () => expectNothingLost(kills),
)

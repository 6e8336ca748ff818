import { test } from 'vitest'
import { expectNothingLost } from '../gateway/harness/kill-expect.ts'
import { expectBoundedMemory } from '../gateway/harness/slow-readers.ts'

const kills = Number(process.env.AFFIDAVIT_GATEWAY_KILLS ?? 100)

test(`${kills} kills of a gateway under 200 concurrent calls lose nothing [GW-27]`, { timeout: 3_000_000 }, () =>
  expectNothingLost(kills),
)

test('200 answers of 100 MiB to slow readers leave memory bounded [GW-28]', { timeout: 1_200_000 }, () =>
  expectBoundedMemory({ clients: 200, answerMiB: 100 }),
)

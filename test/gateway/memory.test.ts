import { it } from 'vitest'
import { expectBoundedMemory } from './harness/slow-readers.ts'

it('40 answers of 20 MiB to slow readers leave memory bounded [GW-28]', { timeout: 120_000 }, () =>
  expectBoundedMemory({ clients: 40, answerMiB: 20 }),
)

import { describe, expect, test } from 'vitest'
import type { Batch } from './batch.ts'
import { batchBytesMax, batchRecordsMax, findBatchProblem } from './validate.ts'

const streamId = '01a1f8d9-5024-7b03-b3e6-01991a109a39'
const record = { header: new Uint8Array(10), body: new Uint8Array() }

function batchOf(records: Batch['records']): Batch {
  const head = { streamId, seq: records.length - 1, hash: `${'A'.repeat(43)}=` }
  const secret = { keyId: '01234567', sealed: new Uint8Array(80) }
  return { streamId, firstSeq: 0, records, head, signature: new Uint8Array(64), secret }
}

describe('a batch', () => {
  test('is accepted up to its limits and refused above them [S-14]', () => {
    expect(findBatchProblem(batchOf(Array(batchRecordsMax).fill(record)))).toBeUndefined()
    expect(findBatchProblem(batchOf(Array(batchRecordsMax + 1).fill(record)))).toMatchObject({
      code: 'batch_too_large',
    })
    const half = new Uint8Array(batchBytesMax / 2 - 10)
    const large = { ...record, body: half }
    expect(findBatchProblem(batchOf([large, large]))).toBeUndefined()
    expect(findBatchProblem(batchOf([large, large, record]))).toMatchObject({ code: 'batch_too_large' })
  })

  test.each([
    ['firstSeq', { firstSeq: -1 }],
    ['firstSeq', { firstSeq: 0.5 }],
    ['head', { firstSeq: 2 }],
    ['hash', { head: { streamId, seq: 0, hash: 'x' } }],
    ['signature', { signature: new Uint8Array(63) }],
    ['keyId', { secret: { keyId: 'zz', sealed: new Uint8Array(80) } }],
    ['secret', { secret: { keyId: '01234567', sealed: new Uint8Array(79) } }],
  ])('with a wrong %s is malformed [S-14]', (_what, change) => {
    expect(findBatchProblem({ ...batchOf([record]), ...change })).toMatchObject({ code: 'batch_malformed' })
  })
})

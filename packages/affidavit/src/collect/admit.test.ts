import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Batch } from '@affidavit/evidence/wire/batch'
import { sealing, sha256 } from '@affidavit/sensor/crypto/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBodyOpener } from '../store/bodies.ts'
import { openSequenceReader } from '../store/sqlite/read.ts'
import { toKeyEncryptionKey } from '../store/wrap.ts'
import { createTestBench, type TestBench } from './testdata/collector.ts'
import type { TestStream } from './testdata/sensor.ts'

let bench: TestBench
let opened: Awaited<ReturnType<TestBench['open']>>
beforeEach(async () => {
  bench = await createTestBench()
  opened = await bench.open()
})
afterEach(async () => {
  opened.close()
  await bench.remove()
})

function twoCalls(): TestStream {
  const stream = bench.openStream()
  stream.writeCall()
  stream.writeCall()
  return stream
}

const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
const withRecord = (
  batch: Batch,
  at: number,
  change: (record: Batch['records'][number]) => Batch['records'][number],
) => ({
  ...batch,
  records: batch.records.map((record, i) => (i === at ? change(record) : record)),
})

describe('admission', () => {
  const damages: [string, string, (batch: Batch) => Batch][] = [
    ['no records', 'batch_empty', (b) => ({ ...b, records: [] })],
    ['a head that is not the last record', 'batch_malformed', (b) => ({ ...b, head: { ...b.head, seq: 3 } })],
    [
      'a stream that is not a UUID',
      'batch_malformed',
      (b) => ({ ...b, streamId: 'x', head: { ...b.head, streamId: 'x' } }),
    ],
    ['a cut signature', 'batch_malformed', (b) => ({ ...b, signature: b.signature.subarray(1) })],
    ['a signature by nobody', 'bad_signature', (b) => ({ ...b, signature: flip(b.signature, 5) })],
    ['a changed header', 'bad_record', (b) => withRecord(b, 2, (r) => ({ ...r, header: flip(r.header, 0) }))],
    ['a changed body', 'body_unreadable', (b) => withRecord(b, 2, (r) => ({ ...r, body: flip(r.body, 0) }))],
    ['a missing body', 'body_unreadable', (b) => withRecord(b, 2, (r) => ({ ...r, body: new Uint8Array() }))],
    [
      'a body without a section',
      'body_unreadable',
      (b) => withRecord(b, 0, (r) => ({ ...r, body: new Uint8Array(20) })),
    ],
    ['a record left out', 'batch_malformed', (b) => ({ ...b, records: b.records.filter((_, i) => i !== 2) })],
    [
      'two records swapped',
      'broken_chain',
      (b) => ({ ...b, records: [0, 2, 1, 3, 4].flatMap((i) => b.records[i] ?? []) }),
    ],
    ['a head of another hash', 'broken_chain', (b) => ({ ...b, head: { ...b.head, hash: `${'A'.repeat(43)}=` } })],
    [
      'a secret sealed to another key',
      'secret_unreadable',
      (b) => ({ ...b, secret: { ...b.secret, keyId: 'ffffffff' } }),
    ],
    [
      'an altered secret',
      'secret_unreadable',
      (b) => ({ ...b, secret: { ...b.secret, sealed: flip(b.secret.sealed, 40) } }),
    ],
  ]
  test.each(damages)('refuses %s: %s [S-4]', async (_what, code, damage) => {
    const batch = twoCalls().batch(0)
    expect(await opened.collector.submit(damage(batch))).toMatchObject({ status: 'refused', code })
  })

  test('refuses a gap in the sequence and what comes behind the end [S-4]', async () => {
    const gap = twoCalls()
    expect(await opened.collector.submit(gap.batch(1))).toMatchObject({ code: 'sequence_gap', seq: 0 })
    const ended = twoCalls()
    ended.write({ kind: 'stream', detail: { event: 'closed', reason: 'exit' } })
    expect(await opened.collector.submit(ended.batch(0))).toMatchObject({ status: 'acknowledged' })
    ended.writeCall()
    expect(await opened.collector.submit(ended.batch(6))).toMatchObject({ code: 'stream_ended' })
    expect(await opened.collector.readStream(ended.streamId)).toMatchObject({ standing: 'refused', nextSeq: 6 })
  })

  test('only the collector may begin a log or end the stream of another [S-4]', async () => {
    const epoch = twoCalls()
    epoch.write({ kind: 'epoch', detail: { origin: 'x', previous: null } })
    expect(await opened.collector.submit(epoch.batch(0))).toMatchObject({ code: 'kind_reserved' })
    const victim = twoCalls()
    await opened.collector.submit(victim.batch(0))
    const { head } = victim.batch(0)
    const liar = twoCalls()
    liar.write({ kind: 'stream', detail: { event: 'recovered', head, tornBytes: 0, unknownCalls: 0 } })
    expect(await opened.collector.submit(liar.batch(0))).toMatchObject({ code: 'kind_reserved' })
    expect(await opened.collector.readStream(victim.streamId)).toMatchObject({ standing: 'open' })
  })

  test('another record at a known place is equivocation, sequenced long ago or not at all [S-5]', async () => {
    const ours = twoCalls()
    const copies = [ours.fork(), ours.fork(), ours.fork()] as const
    ours.writeCall()
    await opened.collector.submit(ours.batch(0))
    for (const copy of copies) copy.writeCall()
    copies[2].writeCall()
    // From the beginning, from the fork, and from behind what is known.
    for (const batch of [copies[0].batch(0), copies[1].batch(5), copies[2].batch(7)]) {
      const collector = await reopen()
      expect(await collector.submit(batch)).toMatchObject({ status: 'refused', code: 'equivocation' })
      await forgetRefusal(ours.streamId)
    }
  })

  test('a second stream with a taken counter is equivocation [S-5]', async () => {
    const first = twoCalls()
    await opened.collector.submit(first.batch(0))
    bench.sensor.counter -= 1
    const second = twoCalls()
    expect(await opened.collector.submit(second.batch(0))).toMatchObject({
      status: 'refused',
      code: 'equivocation',
      seq: 0,
    })
  })

  test('a stream that went on elsewhere is equivocation at the junction [S-5]', async () => {
    const stream = twoCalls()
    await opened.collector.submit(stream.batch(0, 3))
    const batch = stream.batch(3)
    const other = twoCalls()
    const foreign = { ...other.batch(3), streamId: stream.streamId, head: { ...batch.head } }
    // Records of another stream under this one's name are no continuation, whatever they hash to.
    expect(await opened.collector.submit(foreign)).toMatchObject({ status: 'refused', code: 'broken_chain' })
  })
})

/** A collector that has to read from its store what it knows. */
async function reopen() {
  opened.close()
  opened = await bench.open()
  return opened.collector
}

async function forgetRefusal(streamId: string): Promise<void> {
  const state = await opened.store.readStream(streamId)
  if (state === undefined) throw new Error('the stream is unknown')
  const { refusal, ...rest } = state
  expect(refusal).toBeDefined()
  await opened.store.setStream({ ...rest, standing: 'open' })
}

describe('erasing', () => {
  test('deleting a wrap key destroys the bodies under it and no others [S-18]', async () => {
    const stream = twoCalls()
    await opened.collector.submit(stream.batch(0))
    await opened.collector.published()
    const path = join(bench.directory, 'store', 'collector.db')
    const reader = openSequenceReader(path)
    const opener = createBodyOpener(sealing, toKeyEncryptionKey(sha256, new Uint8Array(32).fill(7)), reader)
    const statuses = async () => {
      const all = []
      for await (const { status } of opener.openAll(0, 6)) all.push(status)
      return all
    }
    expect(await statuses()).toEqual(['absent', 'absent', 'opened', 'opened', 'opened', 'opened'])
    const db = new DatabaseSync(path)
    expect(Number(db.prepare("DELETE FROM wrap_keys WHERE subject <> ''").run().changes)).toBe(1)
    db.close()
    expect(await statuses()).toEqual(['absent', 'absent', 'destroyed', 'destroyed', 'destroyed', 'destroyed'])
    reader.close()
  })
})

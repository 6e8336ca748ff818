import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCheckpoint, signCheckpoint } from '../log/checkpoint.ts'
import { parseNote } from '../log/note.ts'
import { makeSigner } from '../log/testdata/shared.ts'
import { emptyLog, grow } from '../log/testdata/tiled-log.ts'
import {
  append, appendBatch, appendCall, type Built, check, completed, createBusyLog, createLog, encode, genesis, hash,
  makeSensor, newStream, openStream, origin, policy, publish, requested, uuid,
} from './testdata/log-builder.ts' // biome-ignore format: one list

const copy = (built: Built) =>
  new Map<string, Uint8Array>([...built.files].map(([path, bytes]) => [path, bytes.slice()]))
const listOf = (files: Map<string, Uint8Array>) => ({
  listFiles: async function* () {
    yield* files.keys()
  },
})
const notProven = (verdict: { notProven: readonly { code: string }[] }) => verdict.notProven.map(({ code }) => code)

describe('a sound log', () => {
  it('is SIGNED without an outside checkpoint, and what that does not prove is said [V-1]', async () => {
    const built = await createBusyLog(400)
    const { verdict, codes } = await check(built.files, listOf(built.files))
    expect(codes).toEqual([])
    expect(verdict).toMatchObject({
      integrity: { level: 'SIGNED', label: 'SIGNED' },
      time: { level: 'CLAIMED' },
      complete: true,
      outside: null,
      beyond: { entries: 805, seconds: null },
      counts: { entries: 805, streams: 4, callsCompleted: 400, callsOpen: 0 },
      signingKey: 'readable',
    })
    expect(notProven(verdict)).toEqual([
      'tool_truth',
      'coverage',
      'no_rewrite',
      'signing_key_readable',
      'sensor_keys_from_log',
      'time_claimed',
    ])
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict)
  })

  it('is CONTINUOUS with a checkpoint the verifier kept, at any size, and names what lies beyond [V-2]', async () => {
    const built = createLog()
    const stream = openStream(built, makeSensor())
    for (let i = 0; i < 130; i++) appendCall(built, stream)
    const bytes = await publish(built)
    for (let i = 0; i < 200; i++) appendCall(built, stream)
    await publish(built)
    const { verdict, codes } = await check(built.files, { kept: [{ bytes, from: 'verifier', name: 'kept' }] })
    expect(codes).toEqual([])
    expect(verdict.integrity.level).toBe('CONTINUOUS')
    expect(verdict.outside).toMatchObject({ size: 262, by: 'kept', time: '2026-11-20T11:04:21.000Z' })
    expect(verdict.beyond).toEqual({ entries: 400, seconds: 3339 })
    expect(notProven(verdict)).toContain('no_rewrite_beyond')
    expect(notProven(verdict)).not.toContain('no_rewrite')
    const beside = await check(built.files, { kept: [{ bytes, from: 'home', name: 'signer' }] })
    expect(beside.verdict.integrity.level).toBe('SIGNED')
  })

  it('is WITNESSED k/n with enough cosignatures, on its own checkpoint or on a kept one [V-3]', async () => {
    const built = await createBusyLog(10, 2)
    const { verdict } = await check(built.files)
    expect(verdict.integrity).toEqual({ level: 'WITNESSED', label: 'WITNESSED 2/3' })
    expect(verdict.outside).toMatchObject({ by: 'witnesses', size: 25 })
    const three = await check(built.files, { policy: { ...policy, witnessesRequired: 3 } })
    expect(three.verdict.integrity.level).toBe('SIGNED')
    expect(three.verdict.cosignatures).toEqual({ count: 2, of: 3, required: 3 })
    const bytes = built.files.get('checkpoint') ?? new Uint8Array()
    appendCall(built, openStream(built, makeSensor()))
    await publish(built)
    const later = await check(built.files, { kept: [{ bytes, from: 'home', name: 'cosigned' }] })
    expect(later.verdict.integrity.level).toBe('WITNESSED')
    expect(later.verdict.beyond.entries).toBe(3)
  })

  it('is BOUNDED in time only by tokens on both sides [V-4]', async () => {
    const { toVerdict } = await import('./verdict.ts')
    const { createProblemSink } = await import('./problem.ts')
    const { findings } = await check((await createBusyLog(1)).files)
    const timeBounds = { notBefore: '2026-11-20T00:00:00.000Z', notAfter: '2026-11-21T00:00:00.000Z' }
    const circumstances = {
      nowMs: 0,
      signingKey: 'separate',
      keysFrom: 'log',
      sensorKeysFrom: 'verifier',
      timeBounds,
    } as const
    const verdict = toVerdict(findings, createProblemSink().found(), circumstances)
    expect(verdict.time).toEqual({ level: 'BOUNDED', ...timeBounds })
    expect(notProven(verdict)).toEqual(['tool_truth', 'coverage', 'no_rewrite', 'keys_from_log'])
  })

  it('may be empty, one entry, or exactly full bundles [V-1]', async () => {
    const built = createLog()
    await publish(built)
    expect((await check(built.files)).verdict.integrity.level).toBe('SIGNED')
    const stream = openStream(built, makeSensor())
    for (let i = 0; i < 255; i++) appendCall(built, stream)
    await publish(built)
    expect(built.tiled.range.size).toBe(512)
    expect((await check(built.files)).codes).toEqual([])
  })

  it('reports progress and stops where it is told to, and then is not complete [V-5]', async () => {
    const built = await createBusyLog(400)
    const seen: number[] = []
    const all = await check(built.files, { onProgress: (entries) => seen.push(entries) })
    expect(seen).toEqual([256, 512, 768, 805])
    expect(all.verdict.complete).toBe(true)
    const stops = [
      ['limit_reached', { limits: { entriesMax: 300 } }],
      ['limit_reached', { limits: { streamsMax: 2 } }],
      ['stopped', { isStopped: () => true }],
    ] as const
    for (const [code, options] of stops) {
      const { verdict, codes } = await check(built.files, options)
      expect(codes).toEqual([code])
      expect(verdict).toMatchObject({ complete: false, integrity: { level: 'SIGNED' } })
      expect(notProven(verdict)).toContain('not_complete')
    }
  })

  it('falls back to full tiles and bundles where partial ones are gone [V-1]', async () => {
    const built = await createBusyLog(20)
    const bytes = built.files.get('checkpoint') ?? new Uint8Array()
    const stream = openStream(built, makeSensor())
    for (let i = 0; i < 400; i++) appendCall(built, stream)
    for (const path of [...built.files.keys()])
      if (/\/000\.p\//.test(path) && !path.startsWith('tile/1')) built.files.delete(path)
    built.files.set('checkpoint', bytes)
    expect((await check(built.files)).codes).toEqual([])
  })
})

describe('changed files', () => {
  it('any flipped bit of any file is INVALID, and an altered entry is named [V-6]', async () => {
    const built = await createBusyLog(130)
    const paths = [...built.files.keys()]
    const pick = fc.record({ path: fc.constantFrom(...paths), at: fc.nat(1 << 20), bit: fc.nat(7) })
    await fc.assert(
      fc.asyncProperty(pick, async ({ path, at, bit }) => {
        const files = copy(built)
        const bytes = files.get(path) ?? new Uint8Array()
        const place = at % bytes.length
        bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
        const { verdict, codes } = await check(files, listOf(files))
        expect([verdict.integrity.level, path, codes.length > 0]).toEqual(['INVALID', path, true])
      }),
      { numRuns: 100 },
    )
  }, 120_000)

  it('says which entry is not the signed one [V-7]', async () => {
    const built = await createBusyLog(300)
    for (const [path, inBundle, index] of [
      ['tile/entries/001', 7, 263],
      ['tile/entries/002.p/93', 92, 604],
    ] as const) {
      const files = copy(built)
      const bytes = files.get(path) ?? new Uint8Array()
      // The last digit of the entry's observedTime: still a record, still in its chain.
      let end = 0
      for (let i = 0; i <= inBundle; i++) end += 2 + (bytes[end] ?? 0) * 256 + (bytes[end + 1] ?? 0)
      const at = new TextDecoder().decode(bytes.subarray(0, end)).lastIndexOf('.000Z') + 3
      bytes[at] = 0x31
      const { verdict } = await check(files)
      expect(verdict.firstBad).toMatchObject({ index, code: 'entry_altered' })
    }
  })

  it('tells an altered tile from an altered entry [V-7]', async () => {
    const built = await createBusyLog(300)
    for (const path of ['tile/0/001', 'tile/0/002.p/93', 'tile/1/000.p/2']) {
      const files = copy(built)
      const bytes = files.get(path) ?? new Uint8Array()
      bytes[40] = (bytes[40] ?? 0) ^ 1
      const { verdict, codes } = await check(files)
      expect([path, codes]).toEqual([path, ['tile_altered']])
      expect(verdict.firstBad).toBeNull()
      files.delete(path)
      expect((await check(files)).codes).toEqual(['tile_missing'])
      files.set(path, new Uint8Array(33))
      expect((await check(files)).codes).toEqual(['tile_altered'])
    }
  })

  it('an entry and its stored hash altered together still do not lead to the signed root [V-7]', async () => {
    const built = await createBusyLog(300)
    const files = copy(built)
    const other = await createBusyLog(300)
    for (const path of ['tile/entries/001', 'tile/0/001']) files.set(path, other.files.get(path) ?? new Uint8Array())
    const { codes, verdict } = await check(files)
    expect(codes).toContain('root_mismatch')
    expect(verdict.firstBad?.index).toBe(256)
  })

  it('a missing or malformed bundle is one problem, not thousands; its stored hashes carry the rest [V-7]', async () => {
    const built = await createBusyLog(300)
    const files = copy(built)
    files.delete('tile/entries/001')
    expect((await check(files)).codes).toEqual(['bundle_missing'])
    files.set('tile/entries/001', Uint8Array.from(built.files.get('tile/entries/001') ?? []).slice(1))
    expect((await check(files)).codes).toEqual(['bundle_malformed'])
    files.delete('tile/entries/001')
    files.delete('tile/0/001')
    expect((await check(files)).verdict).toMatchObject({ integrity: { level: 'INVALID' }, counts: { entries: 256 } })
  })

  it('old partial tiles must be beginnings of the current ones [V-6]', async () => {
    const built = await createBusyLog(20)
    const files = copy(built)
    expect(files.has('tile/0/000.p/5')).toBe(true)
    files.set('tile/entries/000.p/5', files.get('tile/entries/000.p/4') ?? new Uint8Array())
    expect((await check(files, listOf(files))).codes).toEqual(['tile_altered'])
    expect((await check(files)).codes).toEqual([])
  })

  it('an unreadable store is no verdict [V-5]', async () => {
    const readFile = async (path: string) => {
      if (path.startsWith('tile')) throw new Error('EIO')
      return built.files.get(path)
    }
    const built = await createBusyLog(300)
    await expect(check(built.files, { readFile })).rejects.toThrow('EIO')
  })
})

describe('checkpoints', () => {
  it('missing, unsigned, by another key, of another log: INVALID [V-8]', async () => {
    const built = await createBusyLog(5)
    const files = copy(built)
    files.delete('checkpoint')
    expect((await check(files)).verdict).toMatchObject({ integrity: { level: 'INVALID' }, checkpoint: null })
    await publish(built, 0, makeSigner(origin))
    expect((await check(built.files)).codes).toEqual(['checkpoint_invalid'])
    const elsewhere = { ...policy, origin: 'example.com/other' }
    expect((await check(copy(await createBusyLog(1)), { policy: elsewhere })).codes).toEqual(['checkpoint_invalid'])
  })

  it('an old one replayed, or entries taken back by the key holder: caught by a kept checkpoint only [V-9]', async () => {
    const built = await createBusyLog(5)
    const old = built.files.get('checkpoint') ?? new Uint8Array()
    appendCall(built, openStream(built, makeSensor()))
    const bytes = await publish(built)
    built.files.set('checkpoint', old)
    const alone = await check(built.files)
    expect(alone.verdict.integrity.level).toBe('SIGNED')
    expect(notProven(alone.verdict)).toContain('no_rewrite')
    for (const from of ['verifier', 'home'] as const) {
      const { verdict, codes } = await check(built.files, { kept: [{ bytes, from, name: 'kept' }] })
      expect([verdict.integrity.level, codes]).toEqual(['INVALID', ['rolled_back']])
    }
  })

  it('another history signed by the same key is a fork, and both checkpoints are the evidence [V-9]', async () => {
    const [one, two] = [await createBusyLog(5), await createBusyLog(9)]
    const bytes = one.files.get('checkpoint') ?? new Uint8Array()
    const { verdict, codes } = await check(two.files, { kept: [{ bytes, from: 'verifier', name: 'kept' }] })
    expect([verdict.integrity.level, codes]).toEqual(['INVALID', ['forked']])
    expect(verdict.problems[0]?.evidence?.checkpoint).toContain(origin)
  })

  it('one that another key signed for this origin shows that the log key was exchanged [V-9]', async () => {
    const built = await createBusyLog(5)
    const bytes = built.files.get('checkpoint') ?? new Uint8Array()
    // Whoever holds the home writes a new key and signs everything again with it.
    const other = makeSigner(origin)
    const files = copy(built)
    files.set('checkpoint', await signCheckpoint(other, parseCheckpoint(parseNote(bytes).text, 'own')))
    const exchanged = { ...policy, logKeys: [other.key] }
    expect((await check(files, { policy: exchanged })).verdict.integrity.level).toBe('SIGNED')
    const kept = [{ bytes, from: 'verifier' as const, name: 'kept' }]
    const { verdict, codes } = await check(files, { policy: exchanged, kept })
    expect([verdict.integrity.level, codes]).toEqual(['INVALID', ['log_key_exchanged']])
    expect(verdict.problems[0]?.message).toContain('this origin was signed by another key (id ')
    // A verifier who knows both keys accepts a rotation.
    const rotated = { ...policy, logKeys: [other.key, ...policy.logKeys] }
    expect((await check(files, { policy: rotated, kept })).verdict.integrity.level).toBe('CONTINUOUS')
  })

  it('one of another log is named as such, and the verdict is not complete [V-9]', async () => {
    const built = await createBusyLog(5)
    const elsewhere = 'affidavit.local/fedcba9876543210/default/2026q4'
    const bytes = await signCheckpoint(makeSigner(elsewhere), { origin: elsewhere, size: 3n, root: new Uint8Array(32) })
    const { verdict, codes } = await check(built.files, { kept: [{ bytes, from: 'verifier', name: 'kept' }] })
    expect([verdict.complete, codes]).toEqual([false, ['kept_unusable']])
    expect(verdict.problems[0]?.message).toBe(`kept is a checkpoint of ${elsewhere}, this log is ${origin}`)
  })

  it('none at all is missing, or not there yet where nothing says that there ever was one [V-8]', async () => {
    const built = await createBusyLog(5)
    const files = copy(built)
    files.delete('checkpoint')
    expect((await check(files)).codes).toEqual(['checkpoint_missing'])
    const yet = await check(new Map(), { absence: 'not_published' })
    expect([yet.codes, yet.verdict.complete]).toEqual([['not_published'], false])
  })

  it('kept ones that cannot be used leave the verdict incomplete, not better [V-9]', async () => {
    const built = await createBusyLog(5)
    const bytes = new TextEncoder().encode('junk')
    const { verdict, codes } = await check(built.files, { kept: [{ bytes, from: 'verifier', name: 'kept' }] })
    expect([verdict.integrity.level, verdict.complete, codes]).toEqual(['SIGNED', false, ['kept_unusable']])
  })

  it('a wrong signature by a known witness is a contradiction; unknown witnesses are skipped [V-3]', async () => {
    const built = await createBusyLog(5, 1)
    const some = { ...policy, witnesses: policy.witnesses.slice(1) }
    expect((await check(built.files, { policy: some })).codes).toEqual([])
    const text = new TextDecoder().decode(built.files.get('checkpoint'))
    const lines = text.split('\n')
    const line = lines.at(-2) ?? ''
    lines[lines.length - 2] = `${line.slice(0, -8)}${line.at(-8) === 'A' ? 'B' : 'A'}${line.slice(-7)}`
    built.files.set('checkpoint', new TextEncoder().encode(lines.join('\n')))
    expect((await check(built.files)).codes).toEqual(['checkpoint_invalid'])
  })
})

/** What somebody with the log's key could sequence, and the sensors' chains and signatures still contradict. */
describe('forged streams, correctly signed by the log', () => {
  const verify = async (build: (built: Built) => void, options: Parameters<typeof check>[1] = {}) => {
    const built = createLog()
    build(built)
    await publish(built)
    return (await check(built.files, options)).codes
  }
  const sensor = makeSensor()

  it('a record left out, twice, or swapped [V-10]', async () => {
    const records = (order: number[]) => (built: Built) => {
      const stream = openStream(built, sensor)
      const encoded = Array.from({ length: 4 }, () => encode(stream, { kind: 'heartbeat' }))
      const picked = order.flatMap((i) => encoded[i] ?? [])
      append(
        built,
        picked.map(({ header }) => header),
        picked.map(({ signature }) => signature),
      )
    }
    expect(await verify(records([0, 1, 2, 3]))).toEqual([])
    for (const order of [
      [0, 2, 3],
      [0, 1, 1, 2, 3],
      [0, 2, 1, 3],
      [1, 2, 3],
    ])
      expect([order, await verify(records(order))]).toEqual([order, ['seq_broken']])
  })

  it('a record replaced [V-10]', async () => {
    const codes = await verify((built) => {
      const stream = openStream(built, sensor)
      const head = stream.head
      encode(stream, { kind: 'heartbeat' })
      const next = encode(stream, { kind: 'heartbeat' })
      const forged = encode({ ...stream, head }, { kind: 'heartbeat' }, { monotonicUs: 99 })
      append(built, [forged.header, next.header], [undefined, next.signature])
    })
    expect(codes).toEqual(['prev_broken'])
  })

  it('records that no sensor signed [V-11]', async () => {
    const unsigned = (built: Built) => {
      const stream = openStream(built, sensor)
      append(built, [encode(stream, { kind: 'heartbeat' }).header], [undefined])
    }
    expect(await verify(unsigned)).toEqual(['tail_unsigned'])
    const wrong = (built: Built) => {
      const stream = openStream(built, sensor)
      append(built, [encode(stream, { kind: 'heartbeat' }).header], [`${'A'.repeat(86)}==`])
    }
    expect(await verify(wrong)).toEqual(['signature_wrong'])
    const stranger = (built: Built) => void openStream(built, makeSensor())
    const trusting = { policy: { ...policy, sensorKeys: [sensor.sensorKey] } }
    expect(await verify(stranger, trusting)).toEqual(['sensor_unknown'])
    expect(await verify((built) => void openStream(built, sensor), trusting)).toEqual([])
  })

  it('a stream without genesis, with two, under a false name, or going on after its end [V-10]', async () => {
    expect(await verify((built) => appendBatch(built, newStream(sensor), [{ kind: 'heartbeat' }]))).toEqual([
      'genesis_missing',
    ])
    const twice = (built: Built) => {
      const stream = openStream(built, sensor)
      appendBatch(built, stream, [genesis(sensor, 1, null)])
    }
    expect(await verify(twice)).toEqual(['genesis_misplaced'])
    const named = (built: Built) => void openStream(built, { ...sensor, sensorId: '0'.repeat(16) })
    expect(await verify(named)).toEqual(['sensor_id_wrong'])
    const after = (built: Built) => {
      const closed = { kind: 'stream', detail: { event: 'closed', reason: 'exit' } } as const
      appendBatch(built, openStream(built, sensor), [closed, { kind: 'heartbeat' }])
    }
    expect(await verify(after)).toEqual(['record_after_end'])
  })

  it('a whole stream left out is missed by the one after it [V-12]', async () => {
    const aside = createLog()
    const lost = openStream(aside, sensor)
    const without = (built: Built) => void openStream(built, sensor, 1, lost.head)
    expect(await verify(without)).toEqual(['stream_owed'])
    expect(await verify(without, { findSpooled: () => undefined })).toEqual(['stream_missing'])
    expect(await verify(without, { findSpooled: () => 0 })).toEqual([])
    expect(await verify((built) => void openStream(built, sensor, 1, null))).toEqual([])
  })

  it('the tail of an earlier stream left out, or the stream replaced [V-12]', async () => {
    const aside = createLog()
    const cut = openStream(aside, sensor)
    const start = { ...cut.head } as NonNullable<typeof cut.head>
    appendCall(aside, cut)
    const end = cut.head
    const [, genesisEntry] = aside.tiled.entries
    const truncated = (built: Built) => {
      grow(built.tiled, [genesisEntry ?? new Uint8Array()])
      openStream(built, sensor, 1, end)
    }
    expect(await verify(truncated, { findSpooled: () => undefined })).toEqual(['stream_missing'])
    const replaced = (built: Built) => {
      openStream(built, sensor)
      openStream(built, sensor, 1, start)
    }
    expect(await verify(replaced)).toEqual(['stream_head_wrong'])
    const reused = (built: Built) => {
      openStream(built, sensor)
      openStream(built, sensor)
    }
    expect(await verify(reused)).toEqual(['counter_reused'])
    const otherHash = (built: Built) => {
      const first = openStream(built, sensor)
      openStream(built, sensor, 1, { streamId: first.streamId, seq: 0, hash })
    }
    expect(await verify(otherHash)).toEqual(['stream_head_wrong'])
  })

  it('completed records without their request, for another, by another stream [V-13]', async () => {
    const lone = (built: Built) => appendBatch(built, openStream(built, sensor), [completed(uuid(), hash)])
    expect(await verify(lone)).toEqual(['request_missing'])
    const other = (built: Built) => {
      const stream = openStream(built, sensor)
      const request = requested()
      appendBatch(built, stream, [request])
      appendBatch(built, stream, [completed(uuid(), stream.head?.hash ?? hash)])
    }
    expect(await verify(other)).toEqual(['request_other_call'])
    const twice = (built: Built) => {
      const stream = openStream(built, sensor)
      const request = requested()
      appendBatch(built, stream, [request])
      const requestedHash = stream.head?.hash ?? hash
      const done = completed(request.callId, requestedHash)
      appendBatch(built, stream, [done, done])
    }
    expect(await verify(twice)).toEqual(['request_missing'])
    const foreign = (built: Built) => {
      const stream = openStream(built, sensor)
      const request = requested()
      appendBatch(built, stream, [request])
      const requestedHash = stream.head?.hash ?? hash
      appendBatch(built, openStream(built, makeSensor()), [completed(request.callId, requestedHash)])
    }
    expect(await verify(foreign)).toEqual(['request_other_call'])
  })

  it('recovery after a crash is sound, and its head must be the stream’s last record [V-13]', async () => {
    const recovery = (seq: number) => async () => {
      const built = createLog()
      const stream = openStream(built, sensor)
      const request = requested()
      appendBatch(built, stream, [request])
      const head = stream.head ?? { streamId: stream.streamId, seq: 0, hash }
      const recovered = { event: 'recovered', head: { ...head, seq }, tornBytes: 7, unknownCalls: 1 } as const
      appendBatch(built, openStream(built, makeSensor()), [
        completed(request.callId, head.hash, 'unknown'),
        { kind: 'stream', detail: recovered },
      ])
      await publish(built)
      return check(built.files)
    }
    const { verdict, codes } = await recovery(1)()
    expect(codes).toEqual([])
    expect(verdict.counts).toMatchObject({ callsRecovered: 1, callsOpen: 0, callsCompleted: 0 })
    expect((await recovery(0)()).codes).toEqual(['recovery_wrong'])
  })

  it('gaps are counted, and closed only where they were opened [V-13]', async () => {
    const gapId = uuid()
    const closed = {
      event: 'closed',
      gapId,
      missingRequests: 3,
      missingResponses: 2,
      missingNotifications: 1,
      from: '2026-11-20T11:03:40.123Z',
      to: '2026-11-20T11:03:41.123Z',
    } as const
    const opened = { kind: 'gap', detail: { event: 'opened', gapId, code: 'spool_full' } } as const
    const built = createLog()
    appendBatch(built, openStream(built, sensor), [
      opened,
      { kind: 'gap', detail: closed },
      { ...opened, detail: { ...opened.detail, gapId: uuid() } },
    ])
    await publish(built)
    const { verdict } = await check(built.files)
    expect(verdict.counts).toMatchObject({ gapsOpen: 1, gapsClosed: 1, missingInGaps: 6 })
    const unmatched = (log: Built) => appendBatch(log, openStream(log, sensor), [{ kind: 'gap', detail: closed }])
    expect(await verify(unmatched)).toEqual(['gap_unmatched'])
  })

  it('a log of another origin or tenant, and entries that are no records [V-14]', async () => {
    const second = (built: Built) =>
      append(
        built,
        [encode(newStream(sensor), { kind: 'epoch', detail: { origin, previous: null } }).header],
        [undefined],
      )
    expect(await verify(second)).toEqual(['epoch_misplaced'])
    const foreign = (built: Built) => {
      const stream = newStream(sensor)
      const { header, signature } = encode(stream, genesis(sensor, 0, null), { tenant: 'other' })
      append(built, [header], [signature])
    }
    expect(await verify(foreign)).toEqual(['tenant_foreign'])
    const junk = (built: Built) => grow(built.tiled, [new TextEncoder().encode('[]\n{}'), new Uint8Array()])
    expect(await verify(junk)).toEqual(['entry_malformed'])
    const newer = (built: Built) => grow(built.tiled, [new TextEncoder().encode('{"v":2}\n{}')])
    expect(await verify(newer)).toEqual(['version_unknown'])
    const headless = createLog()
    const bare: Built = { ...headless, tiled: { ...emptyLog(), files: new Map() }, files: new Map() }
    openStream(bare, sensor)
    await publish({ ...bare, files: bare.tiled.files })
    expect((await check(bare.tiled.files)).codes).toEqual(['epoch_missing'])
    const away = { ...policy, origin: 'example.com/elsewhere' }
    const key = makeSigner(away.origin)
    const elsewhere = createLog()
    const { root } = grow(elsewhere.tiled, [])
    elsewhere.files.set('checkpoint', await signCheckpoint(key, { origin: away.origin, size: 1n, root }))
    expect((await check(elsewhere.files, { policy: { ...away, logKeys: [key.key] } })).codes).toEqual(['epoch_foreign'])
  })
})

import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Commit, OpenCall, SequenceReader, SequenceStore, StreamState, TreeState } from './contract.ts'

/** Opens the same store again and again; one writer at a time, readers beside it. */
export interface SequenceStoreUnderTest {
  open(emptyRoot: Uint8Array): Promise<SequenceStore>
  openReader(): Promise<SequenceReader>
}

const hash = (fill: number) => new Uint8Array(32).fill(fill)
const emptyRoot = hash(0)
const streamA = '01a1f8d9-5024-7b03-b3e6-01991a109a39'
const streamB = '01a1f8d9-5024-7b03-b3e6-01991a109a40'

function stream(streamId: string, nextSeq: number, more: Partial<StreamState> = {}): StreamState {
  const counter = streamId === streamA ? 0 : 1
  const opening = {
    sensorId: 'a'.repeat(16),
    sensorKey: hash(5),
    counter,
    bootId: 'boot',
    time: '2026-11-20T00:00:00.000Z',
  }
  return { streamId, opening, nextSeq, headHash: hash(nextSeq), standing: 'open', own: false, ...more }
}

function commit(from: TreeState, to: TreeState, more: Partial<Commit> = {}): Commit {
  const nothing = { ranges: [], bodies: [], streams: [], references: [], wrapKeys: [], secrets: [] }
  return { from, to, ...nothing, openedCalls: [], completedCalls: [], ...more }
}

const call = (requestedHash: Uint8Array, seq: number): OpenCall => ({
  requestedHash, streamId: streamA, sensorId: 'a'.repeat(16), seq, kind: 'call', callId: `call-${seq}`, subject: 's_1',
}) // biome-ignore format: one list

/** What every driver of SequenceStore promises. */
export function describeSequenceStore(create: () => Promise<SequenceStoreUnderTest>): void {
  let driver: SequenceStoreUnderTest
  let store: SequenceStore
  const empty = { size: 0, root: emptyRoot }
  const three = { size: 3, root: hash(3) }
  const firstThree = (): Commit =>
    commit(empty, three, {
      ranges: [{ firstLeaf: 0, streamId: streamA, firstSeq: 0, count: 3 }],
      bodies: [{ leaf: 1, body: new Uint8Array([1, 2]) }],
      streams: [stream(streamA, 3)],
    })
  beforeEach(async () => {
    driver = await create()
    store = await driver.open(emptyRoot)
    return () => store.close()
  })

  test('starts as the empty tree; a commit moves tree, stream and ranges together [S-23]', async () => {
    expect(await store.treeState()).toEqual(empty)
    await store.commit(firstThree())
    expect(await store.treeState()).toEqual(three)
    expect(await store.readStream(streamA)).toEqual(stream(streamA, 3))
    expect(await store.readStreams()).toEqual([stream(streamA, 3)])
    expect(await store.locate(2)).toEqual({ streamId: streamA, seq: 2 })
    expect(await store.locate(3)).toBeUndefined()
    expect(await store.findLeaf(streamA, 1)).toBe(1)
    expect(await store.findLeaf(streamA, 3)).toBeUndefined()
    expect(await store.findByCounter('a'.repeat(16), 0)).toBe(streamA)
    expect(await store.findByCounter('a'.repeat(16), 1)).toBeUndefined()
  })

  test('a commit from another state changes nothing at all [S-23]', async () => {
    await store.commit(firstThree())
    await expect(store.commit(firstThree())).rejects.toMatchObject({ code: 'store_moved', retry: false })
    const wrongRoot = commit({ size: 3, root: hash(9) }, { size: 4, root: hash(4) }, { streams: [stream(streamB, 1)] })
    await expect(store.commit(wrongRoot)).rejects.toMatchObject({ code: 'store_moved' })
    expect(await store.treeState()).toEqual(three)
    expect(await store.readStream(streamB)).toBeUndefined()
  })

  test('a commit that fails in its middle changes nothing at all [S-23]', async () => {
    await store.commit(firstThree())
    const clash = commit(
      three,
      { size: 4, root: hash(4) },
      {
        streams: [stream(streamB, 1)],
        ranges: [{ firstLeaf: 3, streamId: streamB, firstSeq: 0, count: 1 }],
        bodies: [{ leaf: 1, body: new Uint8Array([9]) }],
      },
    )
    await expect(store.commit(clash)).rejects.toThrow()
    expect(await store.treeState()).toEqual(three)
    expect(await store.readStream(streamB)).toBeUndefined()
    expect(await store.locate(3)).toBeUndefined()
    expect(await store.readBody(1)).toEqual(new Uint8Array([1, 2]))
  })

  test('what was committed is there for the next writer and for readers beside it [S-23]', async () => {
    await store.commit(firstThree())
    const reader = await driver.openReader()
    expect(await reader.treeState()).toEqual(three)
    await store.commit(
      commit(
        three,
        { size: 4, root: hash(4) },
        {
          ranges: [{ firstLeaf: 3, streamId: streamB, firstSeq: 0, count: 1 }],
          bodies: [{ leaf: 3, body: new Uint8Array([7]) }],
          streams: [stream(streamB, 1)],
        },
      ),
    )
    expect(await reader.treeState()).toEqual({ size: 4, root: hash(4) })
    expect(await reader.readBodies(0, 10)).toEqual([
      { leaf: 1, body: new Uint8Array([1, 2]) },
      { leaf: 3, body: new Uint8Array([7]) },
    ])
    expect((await reader.readRanges(2, 4)).map(({ firstLeaf }) => firstLeaf)).toEqual([0, 3])
    expect((await reader.readRanges(3, 4)).map(({ firstLeaf }) => firstLeaf)).toEqual([3])
    expect(await reader.readRanges(4, 9)).toEqual([])
    reader.close()
    store.close()
    store = await driver.open(emptyRoot)
    expect(await store.treeState()).toEqual({ size: 4, root: hash(4) })
  })

  test('open calls stay until they are completed [S-24]', async () => {
    await store.commit({ ...firstThree(), openedCalls: [call(hash(1), 1), call(hash(2), 2)] })
    expect(await store.openCalls(streamA)).toEqual([call(hash(1), 1), call(hash(2), 2)])
    await store.commit(commit(three, { size: 4, root: hash(4) }, { completedCalls: [hash(1), hash(8)] }))
    expect(await store.openCalls()).toEqual([call(hash(2), 2)])
    expect(await store.openCalls(streamB)).toEqual([])
  })

  test('a refused stream keeps what was sequenced, and why [S-25]', async () => {
    await store.commit(firstThree())
    const refused = stream(streamA, 3, {
      standing: 'refused',
      refusal: { code: 'broken_chain', reason: 'why', seq: 3 },
    })
    await store.setStream(refused)
    expect(await store.readStream(streamA)).toEqual(refused)
    const unseen: StreamState = {
      streamId: streamB,
      nextSeq: 0,
      standing: 'refused',
      own: false,
      refusal: { code: 'x', reason: 'y', seq: 0 },
    }
    await store.setStream(unseen)
    expect(await store.readStream(streamB)).toEqual(unseen)
    expect(await store.locate(2)).toEqual({ streamId: streamA, seq: 2 })
  })

  test('references, wrap keys and sealed secrets come back by what they are for [S-26]', async () => {
    const scope = { subject: 's_1', retention: 'default', month: '2026-11' }
    const wrapKey = { ...scope, id: '0123456789abcdef', kekId: '01234567', wrapped: new Uint8Array(randomBytes(48)) }
    const blob = {
      firstLeaf: 0,
      wrapKeyId: wrapKey.id,
      salt: hash(1),
      offsets: new Uint8Array([0, 1]),
      sealed: hash(2),
    }
    await store.commit({
      ...firstThree(),
      references: [{ kind: 'subject', identityKey: hash(6), reference: 's_1' }],
      wrapKeys: [wrapKey],
      secrets: [blob],
    })
    expect(await store.findReference('subject', hash(6))).toBe('s_1')
    expect(await store.findReference('credential', hash(6))).toBeUndefined()
    expect(await store.findWrapKey(scope)).toEqual(wrapKey)
    expect(await store.findWrapKey({ ...scope, month: '2026-12' })).toBeUndefined()
    expect(await store.readWrapKey(wrapKey.id)).toEqual(wrapKey)
    expect(await store.readSecrets(2, 3)).toEqual([blob])
  })
}

import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type ControlFeed,
  encodeFeed,
  encodeFeedFile,
  encodeFeedMessage,
  type SeenFeed,
  verifyFeed,
} from './control-feed.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const feed = (version: number, text = 'permit(principal, action, resource);'): ControlFeed => ({
  v: 1,
  version,
  issued: '2026-11-20T11:03:40.123Z',
  policies: [{ name: 'base.cedar', text }],
})
const publish = (document: ControlFeed, key = privateKey) => {
  const line = encodeFeed(document)
  return encodeFeedFile(line, sign(null, encodeFeedMessage(line), key))
}
const read = (file: Uint8Array, seen?: SeenFeed) =>
  verifyFeed(file, {
    verify: (message, signature) => verify(null, message, publicKey, signature),
    seen,
    name: (line) => Buffer.from(line).toString(),
  })

describe('the control feed', () => {
  it('reads back what was published, and takes versions that go up [PO-16]', async () => {
    const first = await read(publish(feed(3)))
    expect(first.feed).toEqual(feed(3))
    expect((await read(publish(feed(3)), first.seen)).seen).toEqual(first.seen)
    expect((await read(publish(feed(9)), first.seen)).seen.version).toBe(9)
  })

  it('carries signals of risk under the same signature, each by id or by digest [PO-22]', async () => {
    const until = '2026-11-20T12:00:00.000Z'
    const digest = `00000000:${'A'.repeat(43)}=`
    const risk = [
      { kind: 'user', id: 'alice', level: 'high', until, reason: 'new country' },
      { kind: 'agent', digest, level: 'low', until },
    ] as const
    const document = { ...feed(4), risk: [...risk] }
    expect((await read(publish(document))).feed).toEqual(document)
    const neither = { ...feed(5), risk: [{ kind: 'user', level: 'high', until }] }
    // @ts-expect-error A signal about nobody.
    expect(() => encodeFeed(neither)).toThrow(/exactly one of id and digest/)
  })

  it('takes nothing older, and no second document under one version [PO-16]', async () => {
    const { seen } = await read(publish(feed(3)))
    await expect(read(publish(feed(2)), seen)).rejects.toMatchObject({ code: 'feed_rollback' })
    await expect(read(publish(feed(3, 'forbid(principal, action, resource);')), seen)).rejects.toMatchObject({
      code: 'feed_equivocation',
    })
  })

  it('takes nothing that somebody else signed, that changed, or that is signed for something else [PO-16]', async () => {
    const other = generateKeyPairSync('ed25519').privateKey
    await expect(read(publish(feed(3), other))).rejects.toMatchObject({ code: 'feed_signature' })
    const line = encodeFeed(feed(3))
    await expect(read(encodeFeedFile(line, sign(null, line, privateKey)))).rejects.toMatchObject({
      code: 'feed_signature',
    })
    const good = publish(feed(3))
    for (let at = 0; at < good.length; at++) {
      const changed = Uint8Array.from(good)
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(read(changed)).rejects.toMatchObject({ code: expect.stringMatching(/^feed_(malformed|signature)$/) })
    }
  })

  it('says what is wrong with a file of another form [PO-16]', async () => {
    for (const text of ['', '{}', '{}\n', '{}\nAAAA\n', `${Buffer.from(publish(feed(1)))}more\n`])
      await expect(read(Buffer.from(text))).rejects.toMatchObject({ code: 'feed_malformed' })
    const signed = Buffer.from('{"v":1}')
    const file = encodeFeedFile(signed, sign(null, encodeFeedMessage(signed), privateKey))
    await expect(read(file)).rejects.toMatchObject({ name: 'RecordError' })
  })
})

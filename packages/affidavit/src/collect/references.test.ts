import { encodeIdentity, type TokenRef } from '@affidavit/evidence/record/identity-section'
import { expect, it } from 'vitest'
import type { Reference } from '../store/contract.ts'
import { createReferenceTable } from './references.ts'

const none = { absent: 'not known' }
const identityWith = (token: Omit<TokenRef, 'assurance' | 'method' | 'source'>) =>
  encodeIdentity({
    agent: none,
    workload: none,
    user: none,
    role: none,
    token: { assurance: 'claimed', method: 'jwt', source: 'test', ...token },
    delegation: [],
  })

it('a credential keeps its reference under the key of another epoch, where its fingerprint is recorded [CR-3]', async () => {
  const kept: Reference[] = []
  const findReference = async (kind: string, key: Uint8Array) =>
    kept.find((each) => each.kind === kind && Buffer.from(each.identityKey).equals(key))?.reference
  const refer = (identity: Uint8Array) =>
    // Another table each time: nothing is remembered but what was committed.
    createReferenceTable({ findReference }, Buffer.alloc(32, 7)).refer(identity, kept)
  const digest = (key: string) => `${key}:${Buffer.alloc(32, key).toString('base64')}` as const
  const fingerprint = Buffer.alloc(32, 1).toString('base64')
  const first = await refer(identityWith({ digest: digest('00000001'), fingerprint }))
  const next = await refer(identityWith({ digest: digest('00000002'), fingerprint, issuer: 'https://issuer.example' }))
  const other = await refer(
    identityWith({ digest: digest('00000002'), fingerprint: Buffer.alloc(32, 2).toString('base64') }),
  )
  expect(first.credential).toMatch(/^c_[0-9a-f]{16}$/)
  expect(next.credential).toBe(first.credential)
  expect(other.credential).not.toBe(first.credential)

  const [short, later] = [
    await refer(identityWith({ digest: digest('00000001') })),
    await refer(identityWith({ digest: digest('00000002') })),
  ]
  expect(new Set([short.credential, later.credential, first.credential, other.credential]).size).toBe(4)
})

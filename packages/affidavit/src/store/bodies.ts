import type { SealingCrypto } from '@affidavit/evidence/record/crypto'
import type { SectionName } from '@affidavit/evidence/record/kinds'
import { decodeBody, deriveRecordKeys, type Salt, type Sections } from '@affidavit/evidence/record/sections'
import type { SequenceReader, StoredBody } from './contract.ts'
import { type KeyEncryptionKey, openSecrets, openWrapKey } from './wrap.ts'

/**
 * `opened`: the sections, and the salts that open their commitments, by section. `absent`: no body is stored, which is right exactly
 * where the header commits to no section. `destroyed`: the body is there, the key to it was deleted on purpose.
 */
export type OpenedBody =
  | { status: 'opened'; leaf: number; sections: Sections; saltOf(name: SectionName): Salt }
  | { status: 'absent'; leaf: number }
  | { status: 'destroyed'; leaf: number }

export interface BodyOpener {
  /** Does not check the commitments: the caller holds the header. Throws RecordError `sealed_corrupt` or `bad_body`. */
  open(leaf: number): Promise<OpenedBody>
  /** One answer per leaf of [from, to), ascending. `failed` carries what `open` would throw, so that a reader can go on. */
  openAll(from: number, to: number): AsyncGenerator<OpenedBody | { status: 'failed'; leaf: number; cause: unknown }>
}

const pageLeaves = 512

/** Opens bodies as far as their keys exist. Wrap keys are kept for one call only: one deleted later opens nothing. */
export function createBodyOpener(crypto: SealingCrypto, kek: KeyEncryptionKey, reader: SequenceReader): BodyOpener {
  const openPage = async (from: number, to: number) => {
    const secrets = await readSecretsOf(crypto, kek, reader, { from, to })
    const bodies = new Map((await reader.readBodies(from, to)).map((stored) => [stored.leaf, stored]))
    return { secrets, bodies }
  }
  return {
    open: async (leaf) => {
      const { secrets, bodies } = await openPage(leaf, leaf + 1)
      return openOne(crypto, leaf, bodies.get(leaf), secrets.get(leaf))
    },
    async *openAll(from, to) {
      for (let at = from; at < to; at += pageLeaves) {
        const end = Math.min(to, at + pageLeaves)
        const { secrets, bodies } = await openPage(at, end)
        for (let leaf = at; leaf < end; leaf++) yield attempt(crypto, leaf, bodies.get(leaf), secrets.get(leaf))
      }
    },
  }
}

function attempt(crypto: SealingCrypto, leaf: number, stored?: StoredBody, secret?: Uint8Array) {
  try {
    return openOne(crypto, leaf, stored, secret)
  } catch (cause) {
    return { status: 'failed' as const, leaf, cause }
  }
}

function openOne(crypto: SealingCrypto, leaf: number, stored?: StoredBody, secret?: Uint8Array): OpenedBody {
  if (stored === undefined) return { status: 'absent', leaf }
  if (secret === undefined) return { status: 'destroyed', leaf }
  const { bodyKey, saltOf } = deriveRecordKeys(crypto, secret)
  return { status: 'opened', leaf, sections: decodeBody(crypto.open(bodyKey, stored.body)), saltOf }
}

interface Leaves {
  from: number
  to: number
}

async function readSecretsOf(crypto: SealingCrypto, kek: KeyEncryptionKey, reader: SequenceReader, leaves: Leaves) {
  const secrets = new Map<number, Uint8Array>()
  const keys = new Map<string, Uint8Array | undefined>()
  for (const blob of await reader.readSecrets(leaves.from, leaves.to)) {
    if (!keys.has(blob.wrapKeyId)) {
      const row = await reader.readWrapKey(blob.wrapKeyId)
      keys.set(blob.wrapKeyId, row === undefined ? undefined : openWrapKey(crypto, kek, row))
    }
    const key = keys.get(blob.wrapKeyId)
    if (key === undefined) continue
    for (const [leaf, secret] of openSecrets(crypto, key, blob)) secrets.set(leaf, secret)
  }
  return secrets
}

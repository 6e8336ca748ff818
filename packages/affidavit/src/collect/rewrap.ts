import type { SealingCrypto } from '@affidavit/evidence/record/crypto'
import type { SealedSecrets, SequenceStore, WrapKey, WrapScope } from '../store/contract.ts'
import { createWrapKey, type KeyEncryptionKey, type OffsetSecret, openWrapKey, sealSecrets } from '../store/wrap.ts'
import type { EnrichedBatch } from './enrich.ts'

/** Retention classes come with classification; until then there is one. */
const retention = 'default'
const rememberedMax = 10_000

export interface Rewrapped {
  secrets: SealedSecrets[]
  /** Wrap keys that this batch is the first to use. */
  wrapKeys: WrapKey[]
}

/**
 * Moves record secrets from under the stream secret to under the key of (subject, retention class, month), one sealed
 * blob per wrap key and range, so that erasing a person or ending a retention deletes one row.
 */
export function createRewrap(sealing: SealingCrypto, kek: KeyEncryptionKey, store: SequenceStore) {
  const keys = new Map<string, { id: string; key: Uint8Array }>()
  const find = async (scope: WrapScope, fresh: WrapKey[]) => {
    const name = `${scope.subject}/${scope.retention}/${scope.month}`
    const known = keys.get(name)
    if (known !== undefined) return known
    const row = await store.findWrapKey(scope)
    const made = row === undefined ? createWrapKey(sealing, kek, scope) : undefined
    if (made !== undefined) fresh.push(made.row)
    const found = made === undefined ? openStored(sealing, kek, row) : { id: made.row.id, key: made.key }
    if (keys.size >= rememberedMax) keys.clear()
    keys.set(name, found)
    return found
  }
  return async (batch: EnrichedBatch, firstLeaf: number): Promise<Rewrapped> => {
    const rewrapped: Rewrapped = { secrets: [], wrapKeys: [] }
    for (const [subject, secrets] of groupBySubject(batch)) {
      const wrapKey = await find({ subject, retention, month: batch.month }, rewrapped.wrapKeys)
      rewrapped.secrets.push(sealSecrets(sealing, wrapKey, firstLeaf, secrets))
    }
    return rewrapped
  }
}

function openStored(sealing: SealingCrypto, kek: KeyEncryptionKey, row: WrapKey | undefined) {
  if (row === undefined) throw new TypeError('a wrap key is either stored or made')
  return { id: row.id, key: openWrapKey(sealing, kek, row) }
}

function groupBySubject({ subjects, secrets }: EnrichedBatch): Map<string, OffsetSecret[]> {
  const groups = new Map<string, OffsetSecret[]>()
  for (const [offset, secret] of secrets.entries()) {
    if (secret === undefined) continue
    const subject = subjects[offset] ?? ''
    const group = groups.get(subject)
    if (group === undefined) groups.set(subject, [{ offset, secret }])
    else group.push({ offset, secret })
  }
  return groups
}

import { DatabaseSync } from 'node:sqlite'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { sealing } from '@affidavit/sensor/crypto/node'
import { createReferenceTable, type ReferenceTable, referencesKey } from '../collect/references.ts'
import type { LeafRange, SequenceReader } from '../store/contract.ts'
import type { LeafCheck, LeafPage } from './verify-contents.ts'

const path = 'store/collector.db'

export interface StorePagesOptions {
  file: string
  reader: SequenceReader
  problems: ProblemSink
  /** Key-encryption key: says whom a reference stands for. Undefined where it is not here. */
  kek: Uint8Array | undefined
}

/**
 * Holds what the store says of single leaves to the log: which record each is, whom its body is wrapped for, whom its
 * references name. Pages stand for themselves, so that several threads may each take some.
 */
export function createStorePageCheck({ file, reader, problems, kek }: StorePagesOptions): LeafCheck {
  const report = (why: string, index: number) => problems.add('store_disagrees', { path, index }, `${path}: ${why}`)
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const references = kek === undefined ? undefined : openReferences(db, kek)
  return {
    follow: async (page) => {
      compareRanges(await reader.readRanges(page.from, page.to), page, report)
      await compareWrapping(reader, page, report)
      if (references !== undefined) await compareReferences(references, page, report)
    },
    end: () => db.close(),
  }
}

type Report = (why: string, index: number) => void

function compareRanges(ranges: readonly LeafRange[], { leaves }: LeafPage, report: Report): void {
  let at = 0
  for (const { leaf, header } of leaves) {
    while (at < ranges.length && leaf >= endOf(ranges[at])) at += 1
    const range = ranges[at]
    const seq = range === undefined || leaf < range.firstLeaf ? undefined : range.firstSeq + leaf - range.firstLeaf
    if (range?.streamId === header.streamId && seq === header.seq) continue
    report(`it has another record in place of entry ${leaf}`, leaf)
    return
  }
}

function endOf(range: LeafRange | undefined): number {
  return range === undefined ? 0 : range.firstLeaf + range.count
}

/** A body is wrapped under the key of whom it is about and when: else erasing would miss it, or take another's with it. */
async function compareWrapping(reader: SequenceReader, { from, to, leaves }: LeafPage, report: Report): Promise<void> {
  const byLeaf = new Map(leaves.map((leaf) => [leaf.leaf, leaf]))
  for (const blob of await reader.readSecrets(from, to)) {
    const key = await reader.readWrapKey(blob.wrapKeyId)
    for (let i = 0; i + 1 < blob.offsets.length; i += 2) {
      const leaf = byLeaf.get(blob.firstLeaf + ((blob.offsets[i] ?? 0) << 8) + (blob.offsets[i + 1] ?? 0))
      if (leaf === undefined || key === undefined) continue
      const { subject = '', observedTime } = leaf.envelope
      if (key.subject === subject && key.month === observedTime.slice(0, 7) && key.retention === 'default') continue
      report(`wrap key ${key.id} is not for whom entry ${leaf.leaf} is about`, leaf.leaf)
      return
    }
  }
}

/** The collector's own table, which gives each person one name, over what is stored now. */
function openReferences(db: DatabaseSync, kek: Uint8Array): ReferenceTable {
  const find = db.prepare('SELECT reference FROM subject_references WHERE kind = ? AND identity_key = ?')
  const findReference = async (kind: string, identityKey: Uint8Array) => {
    const reference = find.get(kind, identityKey)?.reference
    return typeof reference === 'string' ? reference : undefined
  }
  return createReferenceTable({ findReference }, referencesKey(sealing, kek))
}

async function compareReferences(references: ReferenceTable, { leaves }: LeafPage, report: Report): Promise<void> {
  for (const { leaf, envelope, body } of leaves) {
    const identity = body?.status === 'opened' ? body.sections.identity : undefined
    if (identity === undefined) continue
    const { subject, credential } = await references.refer(identity, [])
    if (subject === envelope.subject && credential === envelope.credential) continue
    report(`its references do not name whom entry ${leaf} is about`, leaf)
    return
  }
}

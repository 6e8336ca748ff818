import { createHash } from 'node:crypto'
import type { RiskSignal } from '@affidavit/evidence/record/risk'

/** Policies as they were read: from files, or out of the control feed. */
export interface PolicySource {
  policies: readonly NamedText[]
  schema: NamedText | undefined
  /** As whoever published them counts; files have none. */
  version?: string
  /** What they are told of others; no part of the set, and not in its hash. */
  risk?: readonly RiskSignal[] | undefined
}

export interface NamedText {
  name: string
  text: string
}

/**
 * SHA-256, base64, over the texts in their order and the schema: what records cite a set by. Each text goes in under its
 * length, so that nothing can move from one into the next; names of files do not count.
 */
export function hashPolicySet({ policies, schema }: PolicySource): string {
  const hash = createHash('sha256').update('affidavit policy set v1\n')
  for (const { text } of policies) hash.update(`policy ${Buffer.byteLength(text)}\n`).update(text)
  if (schema !== undefined) hash.update(`schema ${Buffer.byteLength(schema.text)}\n`).update(schema.text)
  return hash.digest('base64')
}

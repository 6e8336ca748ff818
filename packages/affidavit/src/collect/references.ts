import { randomBytes } from 'node:crypto'
import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import type { SealingCrypto } from '@affidavit/evidence/record/crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { type IdentitySection, parseIdentity, type TokenRef } from '@affidavit/evidence/record/identity-section'
import { hmacSha256 } from '@affidavit/sensor/crypto/node'
import type { Reference, ReferenceKind, SequenceStore } from '../store/contract.ts'

export interface EntryReferences {
  subject?: string
  credential?: string
}

export interface ReferenceTable {
  /** References for one `identity` section; new ones are appended to `fresh`, to be committed with the entry that uses them. */
  refer(identity: Uint8Array, fresh: Reference[]): Promise<EntryReferences>
}

const rememberedMax = 10_000
const prefixes = { subject: 's_', credential: 'c_' } as const satisfies Record<ReferenceKind, string>

/** Key under which the table keeps whom a reference stands for. */
export function referencesKey(sealing: SealingCrypto, kek: Uint8Array): Uint8Array {
  return sealing.hkdf(kek, 'affidavit/v1 subject-references', 32)
}

/**
 * Gives each person and each credential a random name, the only pseudonyms there are. What they stand for is kept as an
 * HMAC under `key`: who reads the table alone can neither list people nor test a guess.
 */
export function createReferenceTable(store: Pick<SequenceStore, 'findReference'>, key: Uint8Array): ReferenceTable {
  const assigned = new Map<string, string>()
  const sections = new Map<string, EntryReferences>()
  const assign = async (kind: ReferenceKind, identity: unknown, fresh: Reference[]): Promise<string> => {
    const identityKey = hmacSha256(key, encodeCanonical([kind, identity]))
    const name = Buffer.from(identityKey).toString('base64')
    const known = assigned.get(name) ?? (await store.findReference(kind, identityKey)) ?? assigned.get(name)
    const reference = known ?? `${prefixes[kind]}${randomBytes(8).toString('hex')}`
    if (known === undefined) fresh.push({ kind, reference, identityKey })
    keepBounded(assigned, name, reference)
    return reference
  }
  return {
    refer: async (identity, fresh) => {
      const text = Buffer.from(identity).toString('latin1')
      const seen = sections.get(text)
      if (seen !== undefined) return seen
      const { user, token } = toIdentities(identity)
      const references = {
        ...(user === undefined ? {} : { subject: await assign('subject', user, fresh) }),
        ...(token === undefined ? {} : { credential: await assign('credential', token, fresh) }),
      }
      keepBounded(sections, text, references)
      return references
    },
  }
}

/** Everything can be looked up again, so the cache simply starts over. */
function keepBounded<T>(cache: Map<string, T>, name: string, value: T): void {
  if (cache.size >= rememberedMax) cache.clear()
  cache.set(name, value)
}

/**
 * What tells one person and one credential from another: not how well it is known (assurance, reason), which may change
 * for the same person. A section that is not one names nobody.
 */
function toIdentities(bytes: Uint8Array): { user?: unknown; token?: unknown } {
  let section: IdentitySection
  try {
    section = parseIdentity(bytes)
  } catch (error) {
    // The commitment holds, so the sensor wrote it so; the record is evidence all the same.
    if (error instanceof RecordError) return {}
    throw error
  }
  const { user, token } = section
  return {
    ...('absent' in user ? {} : { user: { id: user.id, issuer: user.issuer ?? null, uid: user.uid ?? null } }),
    ...('absent' in token ? {} : { token: identifyToken(token) }),
  }
}

/** The digest changes with the correlation key of the epoch, and a credential may outlive one; its fingerprint does not. */
function identifyToken({ fingerprint, digest, issuer }: TokenRef): unknown {
  return fingerprint === undefined ? { digest, issuer: issuer ?? null } : { fingerprint }
}

import { toBase64 } from '../log/base64.ts'
import type { SealingCrypto, Sha256 } from '../record/crypto.ts'
import type { Envelope } from '../record/envelope.ts'
import { RecordError } from '../record/error.ts'
import type { Hash, Header } from '../record/header.ts'
import { type SectionName, sectionNames } from '../record/kinds.ts'
import { commitSection, decodeBody, deriveRecordKeys, type Salt, type Sections } from '../record/sections.ts'

/** What an entry commits to: its header's sections, and what enrichment added. */
export type Commitments = Partial<Record<SectionName, Hash>>

export function commitmentsOf(header: Header, envelope: Envelope): Commitments {
  return { ...header.sections, ...(envelope.enrichment === undefined ? {} : { enrichment: envelope.enrichment }) }
}

/** A section that somebody disclosed. */
export interface OpenedSection {
  readonly name: SectionName
  readonly salt: Salt
  readonly bytes: Uint8Array
}

/** Holds a disclosed section to its commitment. Throws RecordError `commitment_mismatch`, also where there is none. */
export function verifySection(sha256: Sha256, commitments: Commitments, { name, salt, bytes }: OpenedSection): void {
  const expected = commitments[name]
  if (expected === undefined) throw new RecordError('commitment_mismatch', name, 'the entry commits to no such section')
  if (toBase64(commitSection(sha256, name, salt, bytes)) !== expected)
    throw new RecordError('commitment_mismatch', name, 'section is not the one that the entry commits to')
}

export interface BodyCrypto {
  readonly sha256: Sha256
  readonly sealing: SealingCrypto
}

/** A stored body and what opens it. `body` is empty where the record has no sections. */
export interface SealedBody {
  readonly secret: Uint8Array
  readonly body: Uint8Array
}

/**
 * Opens a body and holds every section to the header: all that the header names, and no other. Throws RecordError:
 * `sealed_corrupt`, `bad_body`, `commitment_mismatch`.
 */
export function verifyBody({ sha256, sealing }: BodyCrypto, header: Header, { secret, body }: SealedBody): Sections {
  const { bodyKey, saltOf } = deriveRecordKeys(sealing, secret)
  const sections = decodeBody(sealing.open(bodyKey, body))
  for (const name of sectionNames) {
    const bytes = sections[name]
    if (bytes !== undefined) verifySection(sha256, header.sections, { name, salt: saltOf(name), bytes })
    else if (header.sections[name] !== undefined)
      throw new RecordError('commitment_mismatch', name, 'the body lacks a section that the header commits to')
  }
  return sections
}

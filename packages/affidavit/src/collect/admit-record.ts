import type { SealingCrypto, Sha256 } from '@affidavit/evidence/record/crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { hashHeader } from '@affidavit/evidence/record/hash'
import type { Header } from '@affidavit/evidence/record/header'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { sectionNames } from '@affidavit/evidence/record/kinds'
import {
  commitSection, decodeBody, deriveRecordKeys, deriveRecordSecret, type Sections,
} from '@affidavit/evidence/record/sections' // biome-ignore format: one list
import type { SpooledRecord } from '@affidavit/evidence/wire/batch'
import { Refused } from './error.ts'

/** A record that was read, found in its place in the chain, and opened. */
export interface AdmittedRecord {
  header: Header
  headerBytes: Uint8Array
  /** Header hash, 32 bytes. */
  hash: Uint8Array
  /** Header hash in base64, as `prev` and `requestedHash` name it. */
  hashText: string
  /** Sealed, as the sensor wrote it; empty where the record has no sections. */
  body: Uint8Array
  /** Present where the body is not empty. */
  secret?: Uint8Array
  sections: Sections
}

/** Where a record must fit: directly behind this one. `hash` is absent before seq 0, and before records sequenced long ago. */
export interface ChainPlace {
  streamId: string
  tenant: string
  epoch: string
  seq: number
  prev: string | undefined
}

export interface RecordCrypto {
  sha256: Sha256
  sealing: SealingCrypto
}

/** Header: strict shape, right log, right stream, right place. Throws Refused. */
export function readHeader(sha256: Sha256, record: SpooledRecord, place: ChainPlace) {
  const { seq } = place
  const header = record.read?.header ?? parse(record, seq)
  if (header.tenant !== place.tenant || header.epoch !== place.epoch)
    throw new Refused('wrong_log', seq, `written for ${header.tenant}/${header.epoch}, this is another log`)
  if (header.streamId !== place.streamId) throw new Refused('broken_chain', seq, 'the header names another stream')
  if (header.seq !== seq) throw new Refused('broken_chain', seq, `the header has sequence number ${header.seq}`)
  if (place.prev !== undefined && header.prev !== place.prev)
    throw new Refused('broken_chain', seq, 'prev is not the hash of the record before')
  const hash = record.read?.hash ?? hashHeader(sha256, record.header)
  return { header, hash, hashText: toText(hash) }
}

function parse(record: SpooledRecord, seq: number): Header {
  try {
    return parseHeader(record.header)
  } catch (error) {
    if (error instanceof RecordError) throw new Refused('bad_record', seq, `header: ${error.code}: ${error.message}`)
    throw error
  }
}

/**
 * Opens the body and holds every section to its commitment, so that nothing is stored that nobody could open later, and
 * no section is there that the signed header does not know. Throws Refused.
 */
export function openRecord(
  { sha256, sealing }: RecordCrypto,
  streamSecret: Uint8Array,
  record: SpooledRecord,
  header: Header,
): { secret?: Uint8Array; sections: Sections } {
  if (record.body.length === 0) {
    if (Object.keys(header.sections).length === 0) return { sections: {} }
    throw new Refused('body_unreadable', header.seq, 'the header commits to sections and there is no body')
  }
  try {
    const secret = deriveRecordSecret(sealing, streamSecret, header.seq)
    const { bodyKey, saltOf } = deriveRecordKeys(sealing, secret)
    const sections = decodeBody(sealing.open(bodyKey, record.body))
    for (const name of sectionNames) {
      const bytes = sections[name]
      const known = bytes === undefined ? undefined : toText(commitSection(sha256, name, saltOf(name), bytes))
      if (header.sections[name] !== known)
        throw new RecordError('commitment_mismatch', name, 'the header does not commit to this section as it is')
    }
    return { secret, sections }
  } catch (error) {
    if (error instanceof RecordError)
      throw new Refused('body_unreadable', header.seq, `${error.code}: ${error.message}`)
    throw error
  }
}

function toText(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('base64')
}

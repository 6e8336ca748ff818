import type { SealingCrypto, Sha256 } from './crypto.ts'
import { RecordError } from './error.ts'
import { type SectionName, sectionNames } from './kinds.ts'

/** Plain bytes of the sections a record has. `input` is redacted JSON text; the others are canonical JSON. */
export type Sections = Partial<Record<SectionName, Uint8Array>>

/** What opens one section to an outsider: with its bytes it reproduces the commitment and says nothing of other sections. */
export type Salt = Uint8Array

const keyBytes = 32
const utf8 = new TextEncoder()

/** Secret of one record, from the secret of its stream. 32 bytes. */
export function deriveRecordSecret(crypto: SealingCrypto, streamSecret: Uint8Array, seq: number): Uint8Array {
  return crypto.hkdf(streamSecret, `affidavit/v1 record ${seq}`, keyBytes)
}

/** Keys of one record: what seals its body, and the salt of each section. */
export interface RecordKeys {
  bodyKey: Uint8Array
  saltOf(name: SectionName): Salt
}

/**
 * Body key and one salt per section, in the order of `sectionNames`: HKDF-Expand is a prefix code, so appending names keeps
 * old values, and whoever needs the first `count` sections alone need not derive the salts behind them.
 */
export function deriveRecordKeys(
  crypto: SealingCrypto,
  recordSecret: Uint8Array,
  count: number = sectionNames.length,
): RecordKeys {
  const bytes = crypto.hkdf(recordSecret, 'affidavit/v1 sections', keyBytes * (count + 1))
  const part = (i: number) => {
    if (i > count) throw new RangeError(`salt ${i} of ${count}`)
    return bytes.subarray(i * keyBytes, (i + 1) * keyBytes)
  }
  return { bodyKey: part(0), saltOf: (name) => part(sectionNames.indexOf(name) + 1) }
}

const domains = new Map(sectionNames.map((name) => [name, utf8.encode(`affidavit/v1 section\n${name}\n`)]))
const noDomain = new Uint8Array(0)

/** 32 bytes: SHA-256(domain ‖ section name ‖ salt ‖ bytes), DESIGN §3. */
export function commitSection(sha256: Sha256, name: SectionName, salt: Salt, bytes: Uint8Array): Uint8Array {
  return sha256(domains.get(name) ?? noDomain, salt, bytes)
}

/** Body plaintext: per section, in format order: index (1 byte), length (4 bytes, big-endian), bytes. */
export function encodeBody(sections: Sections): Uint8Array {
  const present = sectionNames.flatMap((name, index) => {
    const bytes = sections[name]
    return bytes === undefined ? [] : [{ index, bytes }]
  })
  const out = new Uint8Array(present.reduce((sum, { bytes }) => sum + 5 + bytes.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const { index, bytes } of present) {
    view.setUint8(at, index)
    view.setUint32(at + 1, bytes.length)
    out.set(bytes, at + 5)
    at += 5 + bytes.length
  }
  return out
}

/** Inverse of encodeBody. Throws RecordError `bad_body` for anything encodeBody would not write. */
export function decodeBody(body: Uint8Array): Sections {
  const sections: Sections = {}
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  let at = 0
  let last = -1
  while (at < body.length) {
    if (at + 5 > body.length) throw new RecordError('bad_body', `byte ${at}`, 'section head is cut')
    const index = view.getUint8(at)
    const length = view.getUint32(at + 1)
    const name = sectionNames[index]
    if (name === undefined || index <= last) throw new RecordError('bad_body', `byte ${at}`, 'sections out of order')
    if (at + 5 + length > body.length) throw new RecordError('bad_body', `byte ${at}`, 'section is cut')
    sections[name] = body.subarray(at + 5, at + 5 + length)
    last = index
    at += 5 + length
  }
  return sections
}

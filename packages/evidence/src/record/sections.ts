import type { SealingCrypto } from './crypto.ts'
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

/** SHA-256(domain ‖ section name ‖ salt ‖ bytes), DESIGN §3: 32 bytes, or the text that `sha256` makes of them. */
export function commitSection<T>(
  sha256: (...parts: Uint8Array[]) => T,
  name: SectionName,
  salt: Salt,
  bytes: Uint8Array,
): T {
  return sha256(domains.get(name) ?? noDomain, salt, bytes)
}

const sectionHeadBytes = 5

/** How many bytes encodeBody writes. */
export function bodyLength(sections: Sections): number {
  let length = 0
  for (const name of sectionNames) {
    const bytes = sections[name]
    if (bytes !== undefined) length += sectionHeadBytes + bytes.length
  }
  return length
}

/**
 * Body plaintext: per section, in format order: index (1 byte), length (4 bytes, big-endian), bytes. Written to the start of
 * `out`, for those who have a place for it.
 */
export function encodeBody(sections: Sections, out: Uint8Array = new Uint8Array(bodyLength(sections))): Uint8Array {
  let at = 0
  for (const [index, name] of sectionNames.entries()) {
    const bytes = sections[name]
    if (bytes === undefined) continue
    out[at] = index
    out[at + 1] = bytes.length >>> 24
    out[at + 2] = bytes.length >>> 16
    out[at + 3] = bytes.length >>> 8
    out[at + 4] = bytes.length
    out.set(bytes, at + sectionHeadBytes)
    at += sectionHeadBytes + bytes.length
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

import { fromBase64, toBase64 } from './base64.ts'
import { VerifyError } from './error.ts'
import type { Sha256 } from './hash.ts'

/** Ed25519 (RFC 8032) with a raw 32-byte public key. Never throws: a malformed key or signature is false. */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

/** Signature types of signed-note that are known here: Ed25519 over the text, and cosignature/v1 (tlog-cosignature). */
export const keyTypes = { ed25519: 0x01, cosignature: 0x04 } as const
export type KeyType = (typeof keyTypes)[keyof typeof keyTypes]

/** Name and id together name a key; the id alone is a hint of 32 bits and proves nothing. */
export interface VerifierKey {
  readonly name: string
  /** First four bytes of SHA-256(name ‖ LF ‖ type ‖ public key), big-endian. */
  readonly id: number
  readonly type: KeyType
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

const publicKeyBytes = 32
const utf8 = new TextEncoder()
// Spaces separate fields and plus signs the parts of a key; a control character or lone surrogate cannot be in a note.
const badNamePattern = /[\p{White_Space}\p{Cc}\p{Cs}+]/u

export function isKeyName(name: string): boolean {
  return name.length > 0 && !badNamePattern.test(name)
}

/** Key from its parts. Throws VerifyError `bad_key`. */
export function toVerifierKey(sha256: Sha256, name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw badKey('name is empty or has a space or plus sign', name)
  if (publicKey.length !== publicKeyBytes) throw badKey(`public key has ${publicKey.length} bytes, expected 32`, name)
  const digest = sha256(utf8.encode(`${name}\n`), Uint8Array.of(type), publicKey)
  return { name, id: readUint32(digest), type, publicKey }
}

/** `<name>+<id: 8 hex digits>+<base64 of type and public key>`, as golang.org/x/mod/sumdb/note writes it. */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${formatKeyId(id)}+${toBase64(Uint8Array.of(type, ...publicKey))}`
}

/** Inverse of formatVerifierKey. Throws VerifyError `bad_key`, also where the id is not the hash of the rest. */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey {
  const { name, id, type, material } = splitKey(text)
  const key = toVerifierKey(sha256, name, type, material)
  if (key.id !== id) throw badKey(`id ${formatKeyId(id)} is not the hash of the key`, text)
  return key
}

/** Parts of `PRIVATE+KEY+<name>+<id>+<base64 of type and seed>`. The caller derives the public key and compares the id. */
export interface SignerKey {
  readonly name: string
  readonly id: number
  /** Ed25519 seed, 32 bytes (RFC 8032 §5.1.5). */
  readonly seed: Uint8Array
}

/** Throws VerifyError `bad_key`; the message never holds any of the text. */
export function parseSignerKey(text: string): SignerKey {
  const prefix = 'PRIVATE+KEY+'
  if (!text.startsWith(prefix)) throw badKey('not a signer key', '')
  const { name, id, type, material } = splitKey(text.slice(prefix.length), '')
  if (type !== keyTypes.ed25519 || material.length !== publicKeyBytes) throw badKey('not an Ed25519 signer key', '')
  return { name, id, seed: material }
}

export function formatKeyId(id: number): string {
  return id.toString(16).padStart(8, '0')
}

export function readUint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
}

function splitKey(text: string, shown = text): { name: string; id: number; type: KeyType; material: Uint8Array } {
  // The encoded key may hold plus signs of base64; the name may not, so the first two separate.
  const match = /^([^+]*)\+([0-9a-f]{8})\+(.+)$/su.exec(text)
  if (match === null) throw badKey('expected name+id+key', shown)
  const [, name = '', id = '', encoded = ''] = match
  const [first, ...material] = fromBase64(encoded, 'bad_key')
  const type = Object.values(keyTypes).find((known) => known === first)
  if (type === undefined) throw badKey(`unknown signature type ${first}`, shown)
  return { name, id: Number.parseInt(id, 16), type, material: Uint8Array.from(material) }
}

function badKey(why: string, text: string): VerifyError {
  return new VerifyError('bad_key', `malformed key: ${why}`, { key: text.slice(0, 200) })
}

import { fromBase64, toBase64 } from './base64.ts'
import { VerifyError } from './error.ts'
import type { Sha256 } from './hash.ts'
import {
  formatKeyId,
  isKeyName,
  keyTypes,
  readUint32,
  toVerifierKey,
  type VerifierKey,
  type VerifyEd25519,
} from './key.ts'

/** Signatures a note may carry; C2SP signed-note asks for at least 16, golang.org/x/mod takes 100. */
export const noteSignaturesMax = 100
/** Bytes of a note with its signatures: a hundred post-quantum ones fit. */
export const noteBytesMax = 1_000_000

export interface NoteSignature {
  readonly name: string
  readonly id: number
  /** What follows the key id: 64 bytes for Ed25519, others have other lengths. */
  readonly signature: Uint8Array
}

/** A note as read: nothing of it is to be believed before verifyNote. */
export interface Note {
  /** Ends in LF; these very characters are what is signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Checks one key's signature; ed25519Verifier and cosignatureVerifier (cosignature.ts) make them. */
export interface NoteVerifier {
  readonly key: VerifierKey
  readonly verify: (text: string, signature: Uint8Array) => boolean | Promise<boolean>
}

export interface NoteSigner {
  readonly key: VerifierKey
  /** Ed25519 over the message, 64 bytes. The private key stays with whoever passes this in. */
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>
}

const utf8 = new TextEncoder()
// A BOM that the decoder swallowed would be signed bytes that nobody sees.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const linePrefix = '— '

/** Verifier for plain Ed25519 signatures (type 0x01) of this key. Throws VerifyError `bad_key` for another type. */
export function ed25519Verifier(verify: VerifyEd25519, key: VerifierKey): NoteVerifier {
  if (key.type !== keyTypes.ed25519) throw new VerifyError('bad_key', `${key.name} is not a key that signs notes`)
  return { key, verify: (text, signature) => verify(key.publicKey, utf8.encode(text), signature) }
}

/** Signer from its parts. Throws VerifyError `bad_key` where name and public key do not lead to `id` (a parsed signer key). */
export function toNoteSigner(
  sha256: Sha256,
  { name, id }: { name: string; id?: number },
  publicKey: Uint8Array,
  sign: NoteSigner['sign'],
): NoteSigner {
  const key = toVerifierKey(sha256, name, keyTypes.ed25519, publicKey)
  if (id !== undefined && id !== key.id) throw new VerifyError('bad_key', `id of signer key ${name} does not match`)
  return { key, sign }
}

/** Parses C2SP signed-note, as strictly as golang.org/x/mod/sumdb/note.Open. Throws VerifyError `bad_note`. */
export function parseNote(bytes: Uint8Array): Note {
  const message = decodeText(bytes)
  const split = message.lastIndexOf('\n\n')
  if (split < 0) throw badNote('no blank line before the signatures')
  const block = message.slice(split + 2)
  if (!block.endsWith('\n')) throw badNote('no signature line, or the last one has no newline')
  return { text: message.slice(0, split + 1), signatures: parseSignatureLines(block) }
}

/** Lines `— <name> <base64>`, each ending in LF. Throws VerifyError `bad_note`. */
export function parseSignatureLines(block: string): NoteSignature[] {
  if (!block.endsWith('\n')) throw badNote('a signature line has no newline')
  const lines = block.slice(0, -1).split('\n')
  if (lines.length > noteSignaturesMax) throw badNote(`more than ${noteSignaturesMax} signatures`)
  return lines.map(parseSignatureLine)
}

/** UTF-8 without control characters except newline, as all of C2SP's text formats are. Throws VerifyError `bad_note`. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > noteBytesMax) throw badNote(`${bytes.length} bytes, at most ${noteBytesMax}`)
  const control = bytes.findIndex((byte) => byte < 0x20 && byte !== 0x0a)
  if (control >= 0) throw badNote(`control character at byte ${control}`)
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) throw badNote('not UTF-8')
    throw error
  }
}

function parseSignatureLine(line: string): NoteSignature {
  const space = line.indexOf(' ', linePrefix.length)
  if (!line.startsWith(linePrefix) || space < 0) throw badNote('expected a signature line')
  const name = line.slice(linePrefix.length, space)
  const bytes = fromBase64(line.slice(space + 1), 'bad_note')
  if (!isKeyName(name) || bytes.length < 5) throw badNote('signature line is malformed')
  return { name, id: readUint32(bytes), signature: bytes.subarray(4) }
}

export interface VerifiedNote {
  readonly text: string
  /** One per key that signed, in the order of the note. */
  readonly verified: readonly NoteSignature[]
  /** Of keys that nobody vouched for: skipped, as signed-note demands. */
  readonly unknown: readonly NoteSignature[]
}

/**
 * Holds a note to the keys the caller trusts. Throws VerifyError `bad_signature` where a known key's signature is wrong
 * (the whole note is refused then), `no_known_signature` where no known key signed, `bad_key` where two of the keys
 * share name and id.
 */
export async function verifyNote(note: Note, verifiers: readonly NoteVerifier[]): Promise<VerifiedNote> {
  const known = indexVerifiers(verifiers)
  const verified = new Map<string, NoteSignature>()
  const unknown = new Map<string, NoteSignature>()
  for (const signature of note.signatures) {
    const place = placeOf(signature)
    const verifier = known.get(place)
    if (verifier === undefined) unknown.set(formatSignatureLine(signature), signature)
    else if (!verified.has(place)) {
      if (!(await verifier.verify(note.text, signature.signature))) throw badSignature(signature)
      verified.set(place, signature)
    }
  }
  if (verified.size === 0) throw noKnownSignature(note, verifiers)
  return { text: note.text, verified: [...verified.values()], unknown: [...unknown.values()] }
}

/** Text, blank line, signatures: those there are, without ones by the same keys, then the new ones. Throws VerifyError `bad_note`. */
export async function signNote(note: Note, signers: readonly NoteSigner[]): Promise<Uint8Array> {
  const message = utf8.encode(note.text)
  const fresh: NoteSignature[] = []
  for (const { key, sign } of signers) fresh.push({ name: key.name, id: key.id, signature: await sign(message) })
  return encodeNote({ text: note.text, signatures: mergeSignatures(note.signatures, fresh) })
}

/** Those in `fresh` replace those by the same keys. */
export function mergeSignatures(old: readonly NoteSignature[], fresh: readonly NoteSignature[]): NoteSignature[] {
  const replaced = new Set(fresh.map(placeOf))
  return [...old.filter((signature) => !replaced.has(placeOf(signature))), ...fresh]
}

/** Inverse of parseNote. Throws VerifyError `bad_note` for what parseNote would refuse. */
export function encodeNote(note: Note): Uint8Array {
  const bytes = utf8.encode(`${note.text}\n${note.signatures.map(formatSignatureLine).join('')}`)
  if (!note.text.endsWith('\n') || parseNote(bytes).text !== note.text) throw badNote('text cannot be a note')
  return bytes
}

/** `— <name> <base64 of id and signature>` with its newline. */
export function formatSignatureLine({ name, id, signature }: NoteSignature): string {
  const bytes = new Uint8Array(4 + signature.length)
  new DataView(bytes.buffer).setUint32(0, id)
  bytes.set(signature, 4)
  return `${linePrefix}${name} ${toBase64(bytes)}\n`
}

function indexVerifiers(verifiers: readonly NoteVerifier[]): Map<string, NoteVerifier> {
  const known = new Map<string, NoteVerifier>()
  for (const verifier of verifiers) {
    const place = placeOf(verifier.key)
    if (known.has(place)) throw new VerifyError('bad_key', `two keys are called ${place}`, { key: place })
    known.set(place, verifier)
  }
  return known
}

function placeOf({ name, id }: { name: string; id: number }): string {
  return `${name}+${formatKeyId(id)}`
}

function badNote(why: string): VerifyError {
  return new VerifyError('bad_note', `malformed note: ${why}`, { why })
}

function badSignature(signature: NoteSignature): VerifyError {
  const key = placeOf(signature)
  return new VerifyError('bad_signature', `signature of ${key} does not verify`, { key })
}

function noKnownSignature(note: Note, verifiers: readonly NoteVerifier[]): VerifyError {
  const evidence = {
    signedBy: note.signatures.map(placeOf).join(' '),
    known: verifiers.map(({ key }) => placeOf(key)).join(' '),
  }
  return new VerifyError('no_known_signature', 'no key that is trusted here signed this note', evidence)
}

import { toBase64 } from './base64.ts'
import { VerifyError } from './error.ts'
import { keyTypes, type VerifierKey, type VerifyEd25519 } from './key.ts'
import { type Note, type NoteSignature, type NoteSigner, type NoteVerifier, verifyNote } from './note.ts'

/** cosignature/v1 of C2SP tlog-cosignature: a witness saw this checkpoint, and it extended all it had seen, at that time. */
export interface Cosignature {
  readonly witness: string
  /** POSIX seconds, as the witness's clock had it. */
  readonly timestamp: bigint
}

const timestampBytes = 8
const signatureBytes = 64
const timestampMax = 2n ** 63n - 1n
const utf8 = new TextEncoder()

/** What a witness signs: two lines, then the checkpoint's whole text. */
export function encodeCosignatureMessage(text: string, timestamp: bigint): Uint8Array {
  return utf8.encode(`cosignature/v1\ntime ${timestamp}\n${text}`)
}

/** Splits a timestamped_signature. Throws VerifyError `bad_cosignature`. */
export function parseCosignature(bytes: Uint8Array): { timestamp: bigint; signature: Uint8Array } {
  if (bytes.length !== timestampBytes + signatureBytes)
    throw new VerifyError('bad_cosignature', `cosignature of ${bytes.length} bytes, expected 72`)
  const timestamp = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0)
  if (timestamp > timestampMax) throw new VerifyError('bad_cosignature', 'timestamp exceeds 2^63 − 1')
  return { timestamp, signature: bytes.subarray(timestampBytes) }
}

/** Verifier for cosignatures of this key (type 0x04). Throws VerifyError `bad_key` for another type. */
export function cosignatureVerifier(verify: VerifyEd25519, key: VerifierKey): NoteVerifier {
  if (key.type !== keyTypes.cosignature) throw new VerifyError('bad_key', `${key.name} is not a witness key`)
  return {
    key,
    verify: (text, bytes) => {
      if (bytes.length !== timestampBytes + signatureBytes) return false
      const { timestamp, signature } = parseCosignature(bytes)
      return verify(key.publicKey, encodeCosignatureMessage(text, timestamp), signature)
    },
  }
}

/**
 * Cosignatures of known witnesses on a checkpoint whose log signature the caller has checked; other signatures are
 * skipped. Throws VerifyError `bad_signature` where a known witness's signature is wrong, `bad_key` where one public key
 * is listed under two names: what is signed does not name the witness, so it would count twice.
 */
export async function verifyCosignatures(note: Note, witnesses: readonly NoteVerifier[]): Promise<Cosignature[]> {
  requireDistinct(witnesses)
  const isKnown = ({ name, id }: NoteSignature) => witnesses.some(({ key }) => key.name === name && key.id === id)
  if (!note.signatures.some(isKnown)) return []
  const { verified } = await verifyNote(note, witnesses)
  return verified.map(({ name, signature }) => ({ witness: name, timestamp: parseCosignature(signature).timestamp }))
}

function requireDistinct(witnesses: readonly NoteVerifier[]): void {
  const publicKeys = new Set(witnesses.map(({ key }) => toBase64(key.publicKey)))
  if (publicKeys.size < witnesses.length) throw new VerifyError('bad_key', 'one witness key is listed twice')
}

/** Cosigns a checkpoint's text. `signer.key` has type 0x04; its `sign` gets the timestamped message. */
export async function cosign(signer: NoteSigner, text: string, timestamp: bigint): Promise<NoteSignature> {
  if (signer.key.type !== keyTypes.cosignature)
    throw new VerifyError('bad_key', `${signer.key.name} is not a witness key`)
  if (timestamp < 0n || timestamp > timestampMax) throw new VerifyError('bad_cosignature', 'timestamp is out of range')
  const signed = await signer.sign(encodeCosignatureMessage(text, timestamp))
  const signature = new Uint8Array(timestampBytes + signed.length)
  new DataView(signature.buffer).setBigUint64(0, timestamp)
  signature.set(signed, timestampBytes)
  return { name: signer.key.name, id: signer.key.id, signature }
}

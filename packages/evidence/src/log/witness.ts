import { fromBase64, toBase64 } from './base64.ts'
import { parseDecimal } from './decimal.ts'
import { VerifyError } from './error.ts'
import { requireHash } from './hash.ts'
import { decodeText, formatSignatureLine, type NoteSignature, parseNote, parseSignatureLines } from './note.ts'

/** Body of POST add-checkpoint (C2SP tlog-witness). */
export interface AddCheckpoint {
  /** Size of the checkpoint the witness cosigned last, 0 where it never did. */
  readonly oldSize: bigint
  /** Consistency proof from oldSize; empty from 0. */
  readonly proof: readonly Uint8Array[]
  /** Signed note, verbatim. */
  readonly checkpoint: Uint8Array
}

/** tlog-witness: a client must not send more. */
export const witnessProofMax = 63

const utf8 = new TextEncoder()

/** Throws VerifyError `bad_witness_message` for what parseAddCheckpoint would refuse. */
export function encodeAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): Uint8Array {
  requireProof(oldSize, proof)
  const head = utf8.encode(`old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n`)
  const body = new Uint8Array(head.length + checkpoint.length)
  body.set(head)
  body.set(checkpoint, head.length)
  return body
}

/** Inverse of encodeAddCheckpoint. Throws VerifyError `bad_witness_message` or `bad_note`; signatures are not checked. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint {
  const text = decodeText(body)
  const end = text.indexOf('\n\n')
  if (end < 0) throw badMessage('no empty line before the checkpoint')
  const [first = '', ...lines] = text.slice(0, end).split('\n')
  if (!first.startsWith('old ')) throw badMessage('first line is not the old size')
  const oldSize = parseDecimal(first.slice(4), 'bad_witness_message', 'old size')
  const proof = lines.map(parseHashLine)
  requireProof(oldSize, proof)
  const checkpoint = utf8.encode(text.slice(end + 2))
  parseNote(checkpoint)
  return { oldSize, proof, checkpoint }
}

/** Answer 200: one or more signature lines. */
export function encodeCosignatureLines(signatures: readonly NoteSignature[]): Uint8Array {
  return utf8.encode(signatures.map(formatSignatureLine).join(''))
}

/** Inverse of encodeCosignatureLines; the signatures are not checked. Throws VerifyError `bad_note`. */
export function parseCosignatureLines(body: Uint8Array): NoteSignature[] {
  return parseSignatureLines(decodeText(body))
}

/** Answer 409 (`text/x.tlog.size`): the size the witness has. */
export function encodeTreeSize(size: bigint): Uint8Array {
  return utf8.encode(`${size}\n`)
}

/** Inverse of encodeTreeSize. Throws VerifyError `bad_witness_message`. */
export function parseTreeSize(body: Uint8Array): bigint {
  const text = decodeText(body)
  if (!text.endsWith('\n')) throw badMessage('size has no newline')
  return parseDecimal(text.slice(0, -1), 'bad_witness_message', 'tree size')
}

/** One hash as base64. Throws VerifyError `bad_base64` or `bad_hash_length`. */
export function parseHashLine(line: string): Uint8Array {
  return requireHash(fromBase64(line), 'proof hash')
}

function requireProof(oldSize: bigint, proof: readonly Uint8Array[]): void {
  if (proof.length > witnessProofMax) throw badMessage(`${proof.length} proof hashes, at most ${witnessProofMax}`)
  if (oldSize === 0n && proof.length > 0) throw badMessage('a proof from size 0')
}

function badMessage(why: string): VerifyError {
  return new VerifyError('bad_witness_message', `malformed witness message: ${why}`, { why })
}

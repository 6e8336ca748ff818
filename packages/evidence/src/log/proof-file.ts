import { fromBase64, toBase64 } from './base64.ts'
import { type CheckpointForm, type LogIdentity, type VerifiedCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import { VerifyError } from './error.ts'
import { requireHash, type Sha256 } from './hash.ts'
import { decodeText } from './note.ts'
import { verifyInclusion } from './verify-proof.ts'

/** C2SP tlog-proof: an entry's place and proof with the checkpoint it leads to. Extension `.tlog-proof`. */
export interface ProofFile {
  readonly index: bigint
  /** From the leaf's sibling up to the root's child. */
  readonly proof: readonly Uint8Array[]
  /** Signed note, verbatim, with its cosignatures. */
  readonly checkpoint: Uint8Array
  /** Not authenticated by anything; never trusted here. */
  readonly extra?: Uint8Array
}

const firstLine = 'c2sp.org/tlog-proof@v1'
/** A tree of 2^64 − 1 entries has no longer path. */
const proofHashesMax = 64
const utf8 = new TextEncoder()

export function encodeProofFile({ index, proof, checkpoint, extra }: ProofFile): Uint8Array {
  const lines = [firstLine]
  if (extra !== undefined) lines.push(`extra ${toBase64(extra)}`)
  lines.push(`index ${index}`, ...proof.map((hash) => toBase64(requireHash(hash, 'proof hash'))))
  const head = utf8.encode(`${lines.join('\n')}\n\n`)
  const file = new Uint8Array(head.length + checkpoint.length)
  file.set(head)
  file.set(checkpoint, head.length)
  return file
}

/** Inverse of encodeProofFile. Throws VerifyError `bad_proof_file`, `bad_note`, `bad_base64`, `bad_hash_length`. */
export function parseProofFile(bytes: Uint8Array): ProofFile {
  const text = decodeText(bytes)
  const end = text.indexOf('\n\n')
  if (end < 0) throw badFile('no empty line before the checkpoint')
  const lines = text.slice(0, end).split('\n')
  if (lines.shift() !== firstLine) throw badFile(`first line is not ${firstLine}`)
  const extra = lines[0]?.startsWith('extra ') ? lines.shift()?.slice('extra '.length) : undefined
  const indexLine = lines.shift() ?? ''
  if (extra === '' || !indexLine.startsWith('index ')) throw badFile('expected the index')
  if (lines.length > proofHashesMax) throw badFile(`more than ${proofHashesMax} hashes`)
  const index = parseDecimal(indexLine.slice('index '.length), 'bad_proof_file', 'index')
  const proof = lines.map((line) => requireHash(fromBase64(line), 'proof hash'))
  const checkpoint = utf8.encode(text.slice(end + 2))
  return { index, proof, checkpoint, ...(extra === undefined ? {} : { extra: fromBase64(extra) }) }
}

export interface ProofPolicy extends LogIdentity {
  readonly sha256: Sha256
  readonly form?: CheckpointForm
}

/**
 * Holds a leaf to a proof file under keys the caller brings. Returns the checkpoint, whose cosignatures the caller may
 * count (verifyCosignatures). Throws VerifyError: those of verifyCheckpoint and verifyInclusion.
 */
export async function verifyProofFile(
  policy: ProofPolicy,
  file: ProofFile,
  leafHash: Uint8Array,
): Promise<VerifiedCheckpoint> {
  const checkpoint = await verifyCheckpoint(file.checkpoint, policy, policy.form)
  const { index, proof } = file
  verifyInclusion(policy.sha256, { index, size: checkpoint.size, leafHash, proof }, checkpoint.root)
  return checkpoint
}

function badFile(why: string): VerifyError {
  return new VerifyError('bad_proof_file', `malformed proof file: ${why}`, { why })
}

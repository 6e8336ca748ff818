import { fromBase64, toBase64 } from './base64.ts'
import { parseDecimal, sizeMax } from './decimal.ts'
import { VerifyError } from './error.ts'
import { hashBytes } from './hash.ts'
import { type Note, type NoteSigner, type NoteVerifier, parseNote, signNote, verifyNote } from './note.ts'

/** What a log says about itself: so many entries, this root. Origin is the log's identity and compares literally. */
export interface Checkpoint {
  readonly origin: string
  readonly size: bigint
  /** 32 bytes. */
  readonly root: Uint8Array
}

/**
 * `foreign` follows tlog-checkpoint: lines after the third are allowed and ignored. `own` is for logs that Affidavit
 * writes: exactly three lines (an extension line is nothing a monitor can check), and a key whose name is the origin.
 */
export type CheckpointForm = 'own' | 'foreign'

/** Origin, size, root as base64, each on a line. Throws VerifyError `bad_checkpoint` for what could not be read back. */
export function encodeCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === '' || /[\p{Cc}\p{Cs}]/u.test(origin)) throw badCheckpoint('origin is not one line', origin)
  if (size < 0n || size > sizeMax) throw badCheckpoint(`size ${size} is out of range`, origin)
  if (root.length !== hashBytes) throw badCheckpoint(`root has ${root.length} bytes`, origin)
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** Parses a note's text. Throws VerifyError `bad_checkpoint`. */
export function parseCheckpoint(text: string, form: CheckpointForm): Checkpoint {
  if (!text.endsWith('\n')) throw badCheckpoint('last line has no newline', text)
  const [origin = '', size, root, ...extensions] = text.slice(0, -1).split('\n')
  if (origin === '' || size === undefined || root === undefined) throw badCheckpoint('fewer than three lines', text)
  if (extensions.includes('')) throw badCheckpoint('an empty line', text)
  if (form === 'own' && extensions.length > 0) throw badCheckpoint('extension lines', text)
  return { origin, size: parseDecimal(size, 'bad_checkpoint', 'tree size'), root: decodeRoot(root, text) }
}

/** A checkpoint whose signatures were checked, with the note it came in. */
export interface VerifiedCheckpoint extends Checkpoint {
  readonly note: Note
}

export interface LogIdentity {
  readonly origin: string
  /** Every key the log has or had under this origin: keys rotate, the origin stays. */
  readonly verifiers: readonly NoteVerifier[]
}

/**
 * Reads a checkpoint of one log: signed by at least one of its keys, by none of them wrongly, for exactly this origin.
 * Throws VerifyError: `bad_note`, `bad_signature`, `no_known_signature`, `bad_checkpoint`, `origin_mismatch`.
 */
export async function verifyCheckpoint(
  bytes: Uint8Array,
  log: LogIdentity,
  form: CheckpointForm = 'own',
): Promise<VerifiedCheckpoint> {
  const note = parseNote(bytes)
  const verifiers = form === 'own' ? log.verifiers.filter(({ key }) => key.name === log.origin) : log.verifiers
  await verifyNote(note, verifiers)
  const checkpoint = parseCheckpoint(note.text, form)
  if (checkpoint.origin !== log.origin)
    throw new VerifyError('origin_mismatch', `checkpoint of ${checkpoint.origin}, expected ${log.origin}`, {
      origin: checkpoint.origin,
      expected: log.origin,
    })
  return { ...checkpoint, note }
}

/** Signs with the log's key, whose name must be the origin. Throws VerifyError `bad_checkpoint`, and what sign throws. */
export async function signCheckpoint(signer: NoteSigner, checkpoint: Checkpoint): Promise<Uint8Array> {
  if (signer.key.name !== checkpoint.origin) throw badCheckpoint('key name is not the origin', checkpoint.origin)
  return signNote({ text: encodeCheckpoint(checkpoint), signatures: [] }, [signer])
}

function decodeRoot(root: string, text: string): Uint8Array {
  const bytes = fromBase64(root, 'bad_checkpoint')
  if (bytes.length !== hashBytes) throw badCheckpoint(`root has ${bytes.length} bytes`, text)
  return bytes
}

function badCheckpoint(why: string, text: string): VerifyError {
  return new VerifyError('bad_checkpoint', `malformed checkpoint: ${why}`, { why, text: text.slice(0, 300) })
}

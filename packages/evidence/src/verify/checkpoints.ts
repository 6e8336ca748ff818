import { toBase64 } from '../log/base64.ts'
import { parseCheckpoint, type VerifiedCheckpoint, verifyCheckpoint } from '../log/checkpoint.ts'
import { type Cosignature, verifyCosignatures } from '../log/cosignature.ts'
import { toSafeNumber } from '../log/decimal.ts'
import { VerifyError } from '../log/error.ts'
import { equalBytes } from '../log/hash.ts'
import { formatKeyId } from '../log/key.ts'
import { parseNote } from '../log/note.ts'
import { type LogPolicy, toLogIdentity, toWitnesses, type VerifyCrypto } from './policy.ts'
import type { ProblemCode, ProblemSink } from './problem.ts'
import type { Findings, OutsideCheckpoint } from './verdict.ts'

/** A checkpoint to hold the log to. */
export interface KeptCheckpoint {
  readonly bytes: Uint8Array
  /** `verifier`: kept out of reach of whoever wrote the log, so it counts. `home`: from beside the log (signer, backup); it can only contradict. */
  readonly from: 'verifier' | 'home'
  /** File name or the like, for messages. */
  readonly name: string
}

/** A checkpoint that is signed by the log and whose cosignatures were checked. */
export interface SoundCheckpoint {
  readonly name: string
  readonly from: 'log' | KeptCheckpoint['from']
  readonly size: number
  readonly checkpoint: VerifiedCheckpoint
  readonly cosignatures: readonly Cosignature[]
}

interface Source {
  readonly crypto: VerifyCrypto
  readonly policy: LogPolicy
  readonly problems: ProblemSink
}

/** Reads a checkpoint under the policy's keys; what is wrong with it is added under `code`. */
export async function readCheckpoint(
  { crypto, policy, problems }: Source,
  { bytes, from, name }: { bytes: Uint8Array; from: SoundCheckpoint['from']; name: string },
  code: ProblemCode,
): Promise<SoundCheckpoint | undefined> {
  try {
    const checkpoint = await verifyCheckpoint(bytes, toLogIdentity(crypto, policy))
    const cosignatures = await verifyCosignatures(checkpoint.note, toWitnesses(crypto, policy))
    return { name, from, size: toSafeNumber(checkpoint.size), checkpoint, cosignatures }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    problems.add(code, { path: name }, `${name}: ${error.message}`, { code: error.code, ...error.evidence })
    return undefined
  }
}

/** Kept checkpoints that can be compared; the others are problems. */
export async function readKept(source: Source, kept: readonly KeptCheckpoint[]): Promise<SoundCheckpoint[]> {
  const sound: SoundCheckpoint[] = []
  for (const one of kept) {
    if (one.from === 'verifier' && isJudgedByName(source, one)) continue
    const read = await readCheckpoint(source, one, one.from === 'home' ? 'checkpoint_invalid' : 'kept_unusable')
    if (read !== undefined) sound.push(read)
  }
  return sound
}

/**
 * What a kept checkpoint says by whose it is, before any signature: one of another log has nothing to compare; one of this
 * origin that only other keys signed means that the log key was exchanged. True where that is all there is to say of it.
 */
function isJudgedByName({ policy, problems }: Source, { bytes, name }: KeptCheckpoint): boolean {
  const claim = readClaim(bytes)
  if (claim === undefined) return false
  const place = { path: name }
  if (claim.origin !== policy.origin) {
    const evidence = { origin: claim.origin, expected: policy.origin }
    problems.add(
      'kept_unusable',
      place,
      `${name} is a checkpoint of ${claim.origin}, this log is ${policy.origin}`,
      evidence,
    )
    return true
  }
  const trusted = policy.logKeys.filter(({ name: key }) => key === policy.origin).map(({ id }) => id)
  const own = claim.signatures.filter(({ name: key }) => key === policy.origin)
  if (own.length === 0 || trusted.length === 0 || own.some(({ id }) => trusted.includes(id))) return false
  const ids = own.map(({ id }) => formatKeyId(id)).join(', ')
  const known = trusted.map(formatKeyId).join(', ')
  problems.add(
    'log_key_exchanged',
    place,
    `${name}: this origin was signed by another key (id ${ids}, here ${known}): the log key was exchanged, or this file is not of this log`,
    { signedBy: ids, known, checkpoint: claim.text },
  )
  return true
}

/** Undefined for what is no checkpoint at all. */
function readClaim(bytes: Uint8Array) {
  try {
    const { text, signatures } = parseNote(bytes)
    return { text, signatures, origin: parseCheckpoint(text, 'foreign').origin }
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/** Holds what the walk computed to a checkpoint. `root` is the recomputed root at its size, undefined beyond the log. */
export function compareCheckpoint(
  problems: ProblemSink,
  { name, size, checkpoint, from }: SoundCheckpoint,
  root: Uint8Array | undefined,
): 'same' | 'other' {
  if (root === undefined) {
    const message = `${name} is of size ${size}, the log is smaller: entries were taken back`
    problems.add('rolled_back', { path: name }, message, { kept: checkpoint.note.text })
    return 'other'
  }
  if (equalBytes(root, checkpoint.root)) return 'same'
  const evidence = { computed: toBase64(root), expected: toBase64(checkpoint.root), checkpoint: checkpoint.note.text }
  if (from === 'log') problems.add('root_mismatch', { path: name }, `entries do not lead to the signed root`, evidence)
  else
    problems.add(
      'forked',
      { path: name },
      `the first ${size} entries are not those that ${name} was made for`,
      evidence,
    )
  return 'other'
}

/** The newest of the checkpoints that agree, as far as they count for an outsider. */
export function toOutside(
  agreeing: readonly SoundCheckpoint[],
  { witnesses, witnessesRequired }: LogPolicy,
  timeAt: (size: number) => string | undefined,
): Pick<Findings, 'kept' | 'witnessed' | 'cosignatures'> {
  const sized = agreeing.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size)
  const kept = sized.find(({ from }) => from === 'verifier')
  const required = Math.max(1, witnessesRequired)
  const witnessed = sized.find(({ cosignatures }) => cosignatures.length >= required)
  const shown = witnessed ?? sized.find(({ cosignatures }) => cosignatures.length > 0)
  return {
    kept: kept === undefined ? undefined : describe(kept, 'kept', timeAt(kept.size)),
    witnessed: witnessed === undefined ? undefined : describe(witnessed, 'witnesses', witnessTime(witnessed, required)),
    cosignatures: { count: shown?.cosignatures.length ?? 0, of: witnesses.length, required },
  }
}

function describe({ checkpoint, size }: SoundCheckpoint, by: OutsideCheckpoint['by'], time: string | undefined) {
  return { size, root: toBase64(checkpoint.root), by, ...(time === undefined ? {} : { time }) }
}

/** When the last of the required witnesses had signed: the earliest moment at which the quorum stood. */
function witnessTime({ cosignatures }: SoundCheckpoint, required: number): string | undefined {
  const times = cosignatures.map(({ timestamp }) => timestamp).sort((a, b) => (a < b ? -1 : 1))
  const seconds = times[required - 1]
  // Beyond this, Date has no value; a witness that claims such a time has none worth telling.
  if (seconds === undefined || seconds > 8_640_000_000_000n) return undefined
  return new Date(Number(seconds) * 1000).toISOString()
}

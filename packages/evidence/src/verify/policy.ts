import type { LogIdentity } from '../log/checkpoint.ts'
import { cosignatureVerifier } from '../log/cosignature.ts'
import type { VerifierKey } from '../log/key.ts'
import { ed25519Verifier, type NoteVerifier } from '../log/note.ts'
import type { Sha256, VerifyEd25519 } from '../record/crypto.ts'

/** What a verifier brings: nothing that is verified vouches for itself. */
export interface LogPolicy {
  /** Compared literally. */
  readonly origin: string
  /** Every key the log has or had; type 0x01, named like the origin. */
  readonly logKeys: readonly VerifierKey[]
  /** Type 0x04. */
  readonly witnesses: readonly VerifierKey[]
  /** How many of them must have cosigned for WITNESSED; at least 1. */
  readonly witnessesRequired: number
  /** Raw Ed25519 keys of trusted sensors, base64. Left out: each stream's own opening record is believed. */
  readonly sensorKeys?: readonly string[]
}

export interface VerifyCrypto {
  readonly sha256: Sha256
  readonly verifyEd25519: VerifyEd25519
}

export function toLogIdentity({ verifyEd25519 }: VerifyCrypto, { origin, logKeys }: LogPolicy): LogIdentity {
  return { origin, verifiers: logKeys.map((key) => ed25519Verifier(verifyEd25519, key)) }
}

export function toWitnesses({ verifyEd25519 }: VerifyCrypto, { witnesses }: LogPolicy): NoteVerifier[] {
  return witnesses.map((key) => cosignatureVerifier(verifyEd25519, key))
}

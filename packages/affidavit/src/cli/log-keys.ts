import { existsSync, readFileSync } from 'node:fs'
import type { LogIdentity } from '@affidavit/evidence/log/checkpoint'
import { VerifyError } from '@affidavit/evidence/log/error'
import { formatKeyId, parseVerifierKey } from '@affidavit/evidence/log/key'
import { ed25519Verifier } from '@affidavit/evidence/log/note'
import { sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'
import { usageError } from './failure.ts'

export const keyOption = {
  key: {
    type: 'string',
    multiple: true,
    value: 'VKEY',
    text: "the log's verifier key, or a file with it, kept elsewhere (default: keys/log.pub of the home)",
  },
} as const

/** The keys a log is held to, and where they come from: a key that lies beside the log vouches for less. */
export interface LogKeys {
  log: LogIdentity
  source: 'arguments' | 'home'
  /** `<name>+<key id>` each. */
  names: string[]
}

/** Keys given as arguments, as text or as files of lines. Throws CommandError `AFD_USAGE`. */
export function readGivenKeys(command: string, origin: string, given: readonly string[]): LogKeys {
  const lines = given.flatMap((text) => (existsSync(text) ? readLines(text) : [text]))
  try {
    return toLogKeys(origin, lines, 'arguments')
  } catch (error) {
    if (error instanceof VerifyError) throw usageError(command, `--key: ${error.message}`)
    throw error
  }
}

/** The home's own verifier key. Throws VerifyError `bad_key`; a file that is missing gives no keys. */
export function readHomeKeys(origin: string, paths: HomePaths): LogKeys {
  return toLogKeys(origin, existsSync(paths.logVerifierKey) ? readLines(paths.logVerifierKey) : [], 'home')
}

function toLogKeys(origin: string, lines: string[], source: LogKeys['source']): LogKeys {
  const keys = lines.map((line) => parseVerifierKey(sha256, line))
  const verifiers = keys.map((key) => ed25519Verifier(verifyEd25519, key))
  return { log: { origin, verifiers }, source, names: keys.map(({ name, id }) => `${name}+${formatKeyId(id)}`) }
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

import { existsSync, readFileSync } from 'node:fs'
import type { LogIdentity } from '@affidavit/evidence/log/checkpoint'
import { VerifyError } from '@affidavit/evidence/log/error'
import { formatKeyId, parseVerifierKey, type VerifierKey } from '@affidavit/evidence/log/key'
import { ed25519Verifier } from '@affidavit/evidence/log/note'
import { sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'
import { unreadable, usageError } from './failure.ts'

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

/**
 * Keys given as arguments, as text or as files of lines. Throws CommandError `AFD_USAGE` also for a file without any: to
 * fall back to the home's own key would vouch for nothing; and `AFD_FILE_UNREADABLE`.
 */
export function readVerifierKeys(command: string, given: readonly string[]): VerifierKey[] {
  return given.flatMap((text) => {
    const lines = existsSync(text) ? readNamedLines(text) : [text]
    if (lines.length === 0) throw usageError(command, `--key: ${text} holds no verifier key`)
    return lines.map((line) => parseGiven(command, line))
  })
}

function parseGiven(command: string, line: string): VerifierKey {
  try {
    return parseVerifierKey(sha256, line)
  } catch (error) {
    if (error instanceof VerifyError) throw usageError(command, `--key: ${error.message}`)
    throw error
  }
}

function readNamedLines(path: string): string[] {
  try {
    return readLines(path)
  } catch (error) {
    throw unreadable(path, error, 'Give --key the verifier key itself, or a file with it.')
  }
}

/** Keys given as arguments, for this log. Throws like readVerifierKeys. */
export function readGivenKeys(command: string, origin: string, given: readonly string[]): LogKeys {
  return toLogKeys(origin, readVerifierKeys(command, given), 'arguments')
}

/** The home's own verifier key. Throws VerifyError `bad_key`; a file that is missing gives no keys. */
export function readHomeKeys(origin: string, paths: HomePaths): LogKeys {
  const lines = existsSync(paths.logVerifierKey) ? readLines(paths.logVerifierKey) : []
  return toLogKeys(
    origin,
    lines.map((line) => parseVerifierKey(sha256, line)),
    'home',
  )
}

function toLogKeys(origin: string, keys: readonly VerifierKey[], source: LogKeys['source']): LogKeys {
  const verifiers = keys.map((key) => ed25519Verifier(verifyEd25519, key))
  return { log: { origin, verifiers }, source, names: keys.map(({ name, id }) => `${name}+${formatKeyId(id)}`) }
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

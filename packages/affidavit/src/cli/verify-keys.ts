import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { VerifyError } from '@affidavit/evidence/log/error'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '@affidavit/evidence/log/key'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { toSensorId } from '@affidavit/evidence/verify/sensors'
import type { Circumstances } from '@affidavit/evidence/verify/verdict'
import { sha256 } from '@affidavit/sensor/crypto/node'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'
import type { LogFacts } from './verify-facts.ts'
import type { Spool } from './verify-spool.ts'

/** The keys of a home as they lie there. Undefined where the file is missing or was altered; that is reported. */
export interface HomeKeys {
  logKey: VerifierKey | undefined
  sensorId: string | undefined
  collectorKeyId: string | undefined
  correlationKeyId: string | undefined
  bodiesKey: Uint8Array | undefined
}

/** Reads all keys, creates none. A key that is written in any other way than ours is not the file we wrote. */
export function readKeys(paths: HomePaths, problems: ProblemSink): HomeKeys {
  const altered = (path: string, why: string) => problems.add('key_disagrees', { path }, `${path} ${why}`)
  const logPrivate = readPem(paths.logKey, 'keys/log.key', altered)
  const sensor = readPem(paths.sensorKey, 'keys/sensor.key', altered)
  const collector = readPem(paths.collectorKey, 'keys/collector.key', altered)
  const correlation = readSecret(paths.correlationKey, 'keys/correlation.key', altered)
  const logKey = readVerifierKey(paths.logVerifierKey, altered)
  if (logKey !== undefined && logPrivate !== undefined && Buffer.compare(logKey.publicKey, toRaw(logPrivate)) !== 0)
    altered('keys/log.key', 'is not the private half of keys/log.pub')
  return {
    logKey,
    sensorId: sensor === undefined ? undefined : toSensorId(sha256, toRaw(sensor)),
    collectorKeyId: collector === undefined ? undefined : shortDigest(toRaw(collector)),
    correlationKeyId: correlation === undefined ? undefined : shortDigest(correlation),
    bodiesKey: readSecret(paths.bodiesKey, 'keys/bodies.key', altered),
  }
}

type Altered = (path: string, why: string) => void

function readPem(file: string, path: string, altered: Altered): KeyObject | undefined {
  const pem = readKeyFile(file, path, altered)
  if (pem === undefined) return undefined
  try {
    const key = createPrivateKey(pem)
    if (key.export({ format: 'pem', type: 'pkcs8' }).toString() === pem) return key
    altered(path, 'is not written as it was')
  } catch (error) {
    altered(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return undefined
}

function readSecret(file: string, path: string, altered: Altered): Uint8Array | undefined {
  const text = readKeyFile(file, path, altered)
  if (text === undefined) return undefined
  const key = Buffer.from(text, 'base64')
  if (key.length === 32 && `${key.toString('base64')}\n` === text) return new Uint8Array(key)
  altered(path, 'is not 32 bytes in base64')
  return undefined
}

function readVerifierKey(file: string, altered: Altered): VerifierKey | undefined {
  const text = readKeyFile(file, 'keys/log.pub', altered)
  if (text === undefined) return undefined
  try {
    const key = parseVerifierKey(sha256, text.slice(0, -1))
    if (`${formatVerifierKey(key)}\n` === text) return key
    altered('keys/log.pub', 'is not written as it was')
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    altered('keys/log.pub', `cannot be read: ${error.message}`)
  }
  return undefined
}

function readKeyFile(file: string, path: string, altered: Altered): string | undefined {
  if (existsSync(file)) return readFileSync(file, 'latin1')
  altered(path, 'is missing')
  return undefined
}

function toRaw(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))
}

function shortDigest(bytes: Uint8Array): string {
  return Buffer.from(sha256(bytes)).toString('hex').slice(0, 8)
}

/**
 * Keys that records refer to are the ones that lie in keys/. Returns those that nothing recorded so far refers to, so that
 * nobody could tell another one from them.
 */
export function compareKeys(keys: HomeKeys, spool: Spool, facts: LogFacts, problems: ProblemSink): string[] {
  const inLog = [...facts.openings.values()].flatMap(({ sensorId }) => sensorId ?? [])
  const sensors = new Set([...inLog, ...spool.claims.map(({ sensorId }) => sensorId)])
  const collectorKeys = new Set([...spool.streams.values()].flatMap(({ collectorKeyId }) => collectorKeyId ?? []))
  const used: [string, string | undefined, ReadonlySet<string>][] = [
    ['keys/sensor.key', keys.sensorId, sensors],
    ['keys/collector.key', keys.collectorKeyId, collectorKeys],
    ['keys/correlation.key', keys.correlationKeyId, facts.digestKeys],
  ]
  for (const [path, id, seen] of used) {
    if (id === undefined || seen.size === 0 || seen.has(id)) continue
    const names = [...seen].slice(0, 3).join(', ')
    problems.add('key_disagrees', { path }, `${path} is not the key that was used here (${names})`)
  }
  return used.filter(([, , seen]) => seen.size === 0).map(([path]) => path)
}

/** Whether whoever writes records here could also sign the log: both keys belong to one user on a laptop. */
export function judgeSigningKey(paths: HomePaths): Circumstances['signingKey'] {
  const log = statSync(paths.logKey, { throwIfNoEntry: false })
  const sensor = statSync(paths.sensorKey, { throwIfNoEntry: false })
  if (log === undefined || sensor === undefined) return 'unknown'
  return log.uid === sensor.uid ? 'readable' : 'separate'
}

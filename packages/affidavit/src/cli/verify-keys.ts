import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { VerifyError } from '@affidavit/evidence/log/error'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '@affidavit/evidence/log/key'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { toSensorId } from '@affidavit/evidence/verify/sensors'
import { sha256 } from '@affidavit/sensor/crypto/node'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'

/** The keys of a home as they lie there. Undefined where the file is missing, or was altered, which is reported. */
export interface HomeKeys {
  logKey: VerifierKey | undefined
  sensorId: string | undefined
  collectorKeyId: string | undefined
  correlationKeyId: string | undefined
  bodiesKey: Uint8Array | undefined
  /** Paths of those that are not there; whether one was ever used is for the records to say. */
  missing: string[]
}

/** Reads all keys, creates none. A key that is written in any other way than ours is not the file we wrote. */
export function readKeys(paths: HomePaths, problems: ProblemSink): HomeKeys {
  const missing: string[] = []
  const reading: Reading = {
    altered: (path, why) => problems.add('key_disagrees', { path }, `${path} ${why}`),
    missing: (path) => missing.push(path),
  }
  const logPrivate = readPem(paths.logKey, 'keys/log.key', reading)
  const sensor = readPem(paths.sensorKey, 'keys/sensor.key', reading)
  const collector = readPem(paths.collectorKey, 'keys/collector.key', reading)
  const correlation = readSecret(paths.correlationKey, 'keys/correlation.key', reading)
  const logKey = readVerifierKey(paths.logVerifierKey, reading)
  if (logKey !== undefined && logPrivate !== undefined && Buffer.compare(logKey.publicKey, toRaw(logPrivate)) !== 0)
    reading.altered('keys/log.key', 'is not the private half of keys/log.pub')
  return {
    logKey,
    sensorId: sensor === undefined ? undefined : toSensorId(sha256, toRaw(sensor)),
    collectorKeyId: collector === undefined ? undefined : shortDigest(toRaw(collector)),
    correlationKeyId: correlation === undefined ? undefined : shortDigest(correlation),
    bodiesKey: readSecret(paths.bodiesKey, 'keys/bodies.key', reading),
    missing,
  }
}

interface Reading {
  altered(path: string, why: string): void
  missing(path: string): void
}

function readPem(file: string, path: string, reading: Reading): KeyObject | undefined {
  const pem = readKeyFile(file, path, reading)
  if (pem === undefined) return undefined
  try {
    const key = createPrivateKey(pem)
    if (key.export({ format: 'pem', type: 'pkcs8' }).toString() === pem) return key
    reading.altered(path, 'is not written as it was')
  } catch (error) {
    reading.altered(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return undefined
}

function readSecret(file: string, path: string, reading: Reading): Uint8Array | undefined {
  const text = readKeyFile(file, path, reading)
  if (text === undefined) return undefined
  const key = Buffer.from(text, 'base64')
  if (key.length === 32 && `${key.toString('base64')}\n` === text) return new Uint8Array(key)
  reading.altered(path, 'is not 32 bytes in base64')
  return undefined
}

function readVerifierKey(file: string, reading: Reading): VerifierKey | undefined {
  const text = readKeyFile(file, 'keys/log.pub', reading)
  if (text === undefined) return undefined
  try {
    const key = parseVerifierKey(sha256, text.slice(0, -1))
    if (`${formatVerifierKey(key)}\n` === text) return key
    reading.altered('keys/log.pub', 'is not written as it was')
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    reading.altered('keys/log.pub', `cannot be read: ${error.message}`)
  }
  return undefined
}

function readKeyFile(file: string, path: string, reading: Reading): string | undefined {
  if (existsSync(file)) return readFileSync(file, 'latin1')
  reading.missing(path)
  return undefined
}

function toRaw(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))
}

function shortDigest(bytes: Uint8Array): string {
  return Buffer.from(sha256(bytes)).toString('hex').slice(0, 8)
}

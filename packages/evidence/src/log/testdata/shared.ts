import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { TestContext } from 'vitest'
import type { Sha256 } from '../hash.ts'
import { type KeyType, keyTypes, toVerifierKey, type VerifyEd25519 } from '../key.ts'
import { type NoteSigner, toNoteSigner } from '../note.ts'

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

export const verifyEd25519: VerifyEd25519 = (raw, message, signature) => {
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

export const rawPublicKey = (key: KeyObject) =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length))

export const keyFromSeed = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })

const signWith = (key: KeyObject) => (message: Uint8Array) => new Uint8Array(sign(null, message, key))

export function makeSigner(name: string, key: KeyObject = generateKeyPairSync('ed25519').privateKey): NoteSigner {
  return toNoteSigner(sha256, { name }, rawPublicKey(key), signWith(key))
}

export function makeWitness(name: string): NoteSigner {
  const key = generateKeyPairSync('ed25519').privateKey
  const type: KeyType = keyTypes.cosignature
  return { key: toVerifierKey(sha256, name, type, rawPublicKey(key)), sign: signWith(key) }
}

const folder = join(import.meta.dirname, '../../../../../../shared/data/vectors')

/**
 * Text of a vector file beside the repository. Absent data skips the test and says so; in CI it fails, because a
 * vector suite that did not run proves nothing.
 */
export function readVectors(ctx: TestContext, name: string): string {
  const path = join(folder, name)
  if (!existsSync(path)) {
    if (process.env.CI === 'true') throw new Error(`vectors are missing: ${path}`)
    console.warn(`SKIPPED ${ctx.task.name}: ${path} is missing`)
    ctx.skip('vectors are missing')
  }
  const bytes = readFileSync(path)
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

export const bytesOf = (text: string) => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
/** Not our decoder: what the vectors mean must not depend on what is tested. */
export const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
export const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { type FileLayer, toSystemCode } from './layer.ts'
import { createOnce } from './write.ts'

/** Files of a home that are created once, by whoever comes first: its keys and its identity. */

/** A person must look: no code here is worth a retry. */
export const homeErrorCodes = ['home_unusable', 'home_malformed', 'key_malformed'] as const
export type HomeErrorCode = (typeof homeErrorCodes)[number]

export class HomeError extends Error {
  override readonly name = 'HomeError'
  readonly retry = false
  readonly code: HomeErrorCode
  readonly path: string

  constructor(code: HomeErrorCode, path: string, message: string, options?: { cause: unknown }) {
    super(`${path}: ${message}`, options)
    this.code = code
    this.path = path
  }
}

/** What the file system refused becomes an error that says where and what to do. */
export async function usable<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    const code = toSystemCode(error)
    if (code === undefined) throw error
    const remedy = 'check owner, mode and free space, or choose another --home'
    throw new HomeError('home_unusable', path, `${code}; ${remedy}`, { cause: error })
  }
}

/**
 * Reads the file, or creates it from what `make` returns; after a race every party holds the winner's bytes.
 * Durable when it resolves.
 */
export async function loadOrCreate(layer: FileLayer, path: string, make: () => Uint8Array): Promise<Uint8Array> {
  const there = await layer.readFile(path)
  if (there !== undefined) return there
  await createOnce(layer, path, make())
  const made = await layer.readFile(path)
  if (made === undefined) throw new HomeError('home_unusable', path, 'vanished while it was being created')
  return made
}

/** A private key in PKCS8 PEM of exactly this type, created where it is missing. Throws HomeError `key_malformed`. */
export async function loadOrCreateKey(layer: FileLayer, path: string, type: 'ed25519' | 'x25519'): Promise<KeyObject> {
  const pem = await loadOrCreate(layer, path, () => Buffer.from(generatePem(type)))
  const key = parsePrivateKey(path, pem)
  if (key.asymmetricKeyType !== type)
    throw new HomeError('key_malformed', path, `expected an ${type} key, found ${key.asymmetricKeyType}`)
  return key
}

const generatePem = (type: 'ed25519' | 'x25519'): string =>
  (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')).privateKey
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()

function parsePrivateKey(path: string, pem: Uint8Array): KeyObject {
  try {
    return createPrivateKey(Buffer.from(pem))
  } catch (error) {
    throw new HomeError('key_malformed', path, `no private key in PKCS8 PEM; restore it from a backup (${error})`)
  }
}

/** 32 random bytes as base64 and a newline, created where missing. Throws HomeError `key_malformed`. */
export async function loadOrCreateSecret(layer: FileLayer, path: string): Promise<Uint8Array> {
  const text = await loadOrCreate(layer, path, () => Buffer.from(`${randomBytes(32).toString('base64')}\n`))
  const encoded = Buffer.from(text).toString('latin1')
  const key = Buffer.from(encoded, 'base64')
  if (key.length !== 32 || `${key.toString('base64')}\n` !== encoded)
    throw new HomeError('key_malformed', path, 'expected 32 bytes in base64; restore it from a backup')
  return new Uint8Array(key)
}

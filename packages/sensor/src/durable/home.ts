import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { HomeError, loadOrCreate, loadOrCreateKey, loadOrCreateSecret, usable } from './home-keys.ts'
import { type HomePaths, toHomePaths } from './home-paths.ts'
import { type FileLayer, systemLayer } from './layer.ts'
import { createDirectory } from './write.ts'

/**
 * The home folder: everything this machine's user keeps, under one directory of mode 0700. Whoever comes first creates
 * it; every file is made by createOnce, so that several may come first. Whoever can read it can read the keys: the
 * sensor key signs in this machine's name, the collector key opens bodies, the correlation key links equal values.
 */

/** home.json. Written once; a home never changes its id, tenant or first epoch. */
export interface HomeIdentity {
  v: 1
  /** 16 hex digits, random. */
  homeId: string
  tenant: string
  /** `2026q4`, the quarter of its creation in UTC. */
  epoch: string
  /** Name of the log: `affidavit.local/<homeId>/<tenant>/<epoch>`. */
  origin: string
}

export interface SensorKey {
  privateKey: KeyObject
  /** Raw, 32 bytes. */
  publicKey: Uint8Array
  /** First 16 hex digits of SHA-256 of publicKey. */
  sensorId: string
}

export interface CollectorPublicKey {
  /** Raw X25519, 32 bytes. */
  publicKey: Uint8Array
  /** First 8 hex digits of SHA-256 of publicKey. */
  keyId: string
}

export interface CollectorKey extends CollectorPublicKey {
  privateKey: KeyObject
}

export interface CorrelationKey {
  /** 32 bytes. */
  key: Uint8Array
  /** First 8 hex digits of SHA-256 of key. */
  keyId: string
}

/** Keys are read when first asked for and then kept. */
export interface Home {
  dir: string
  layer: FileLayer
  paths: HomePaths
  identity: HomeIdentity
  sensorKey(): Promise<SensorKey>
  collectorPublicKey(): Promise<CollectorPublicKey>
  /** For the collector alone: it opens every body of this home. */
  collectorKey(): Promise<CollectorKey>
  correlationKey(): Promise<CorrelationKey>
}

/** `--home`, else AFFIDAVIT_HOME, else $XDG_DATA_HOME/affidavit, else ~/.local/share/affidavit. Absolute. */
export function resolveHome(from: { flag?: string | undefined; env: Record<string, string | undefined> }): string {
  if (from.flag !== undefined && from.flag !== '') return resolve(from.flag)
  const named = from.env.AFFIDAVIT_HOME
  if (named !== undefined && named !== '') return resolve(named)
  // The XDG Base Directory Specification has relative paths ignored.
  const share = from.env.XDG_DATA_HOME
  if (share !== undefined && isAbsolute(share)) return join(share, 'affidavit')
  return join(homedir(), '.local', 'share', 'affidavit')
}

const digestHex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const rawPublicKey = (key: KeyObject) =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))

/** Keeps what was loaded; a failure is not kept, so that the next call tries again. */
const once = <T>(load: () => Promise<T>): (() => Promise<T>) => {
  let loaded: Promise<T> | undefined
  return async () => {
    loaded ??= load()
    try {
      return await loaded
    } catch (error) {
      loaded = undefined
      throw error
    }
  }
}

function makeIdentity(now: Date): HomeIdentity {
  const homeId = randomBytes(8).toString('hex')
  const tenant = 'default'
  const epoch = `${now.getUTCFullYear()}q${Math.floor(now.getUTCMonth() / 3) + 1}`
  return { v: 1, homeId, tenant, epoch, origin: `affidavit.local/${homeId}/${tenant}/${epoch}` }
}

function parseIdentity(path: string, bytes: Uint8Array): HomeIdentity {
  const malformed = (why: string) => new HomeError('home_malformed', path, `${why}; restore it from a backup`)
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw malformed(`is not JSON (${error})`)
  }
  if (typeof value !== 'object' || value === null) throw malformed('is not an object')
  const { v, homeId, tenant, epoch, origin } = value as Record<string, unknown>
  if (v !== 1) throw malformed(`has version ${v}, this program knows 1`)
  if (typeof homeId !== 'string' || !/^[0-9a-f]{16}$/.test(homeId)) throw malformed('homeId is not 16 hex digits')
  if (typeof tenant !== 'string' || !/^[a-z0-9-]{1,64}$/.test(tenant)) throw malformed('tenant is not a name')
  if (typeof epoch !== 'string' || !/^\d{4}q[1-4]$/.test(epoch)) throw malformed('epoch is not a quarter')
  if (origin !== `affidavit.local/${homeId}/${tenant}/${epoch}`) throw malformed('origin does not follow from the rest')
  return { v, homeId, tenant, epoch, origin }
}

async function loadIdentity(layer: FileLayer, paths: HomePaths): Promise<HomeIdentity> {
  const there = await layer.readFile(paths.identity)
  if (there !== undefined) return parseIdentity(paths.identity, there)
  // home.json comes last: whoever finds it finds the folders too. A crash before it leaves folders that are made again.
  for (const folder of [paths.keys, paths.signer, paths.spoolStreams, paths.tiles, paths.store]) {
    await createDirectory(layer, folder)
  }
  for (const folder of [paths.index, paths.run, paths.diagnostics]) await createDirectory(layer, folder)
  const made = Buffer.from(`${JSON.stringify(makeIdentity(new Date()))}\n`)
  return parseIdentity(paths.identity, await loadOrCreate(layer, paths.identity, () => made))
}

/** Opens the home folder at dir, created where it is missing. Costs one small read where it exists. Throws HomeError. */
export async function openHome(dir: string, layer: FileLayer = systemLayer): Promise<Home> {
  const paths = toHomePaths(resolve(dir))
  const identity = await usable(paths.identity, loadIdentity(layer, paths))
  const collectorKey = once(async () => {
    const privateKey = await usable(paths.collectorKey, loadOrCreateKey(layer, paths.collectorKey, 'x25519'))
    const publicKey = rawPublicKey(privateKey)
    return { privateKey, publicKey, keyId: digestHex(publicKey).slice(0, 8) }
  })
  return {
    dir: resolve(dir),
    layer,
    paths,
    identity,
    sensorKey: once(async () => {
      const privateKey = await usable(paths.sensorKey, loadOrCreateKey(layer, paths.sensorKey, 'ed25519'))
      const publicKey = rawPublicKey(privateKey)
      return { privateKey, publicKey, sensorId: digestHex(publicKey).slice(0, 16) }
    }),
    collectorKey,
    collectorPublicKey: async () => {
      const { publicKey, keyId } = await collectorKey()
      return { publicKey, keyId }
    },
    correlationKey: once(async () => {
      const key = await usable(paths.correlationKey, loadOrCreateSecret(layer, paths.correlationKey))
      return { key, keyId: digestHex(key).slice(0, 8) }
    }),
  }
}

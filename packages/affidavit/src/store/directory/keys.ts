import { createPublicKey, type KeyObject } from 'node:crypto'
import { hashEmptyTree } from '@affidavit/evidence/log/hash'
import { formatVerifierKey } from '@affidavit/evidence/log/key'
import { type NoteSigner, toNoteSigner } from '@affidavit/evidence/log/note'
import { sha256, signEd25519 } from '@affidavit/sensor/crypto/node'
import type { Home } from '@affidavit/sensor/durable/home'
import { loadOrCreate, loadOrCreateKey, loadOrCreateSecret } from '@affidavit/sensor/durable/home-keys'
import type { SignerStore } from '../contract.ts'
import { StoreError } from '../error.ts'
import { type KeyEncryptionKey, toKeyEncryptionKey } from '../wrap.ts'
import { openSignerStore } from './signer.ts'

const rawKeyBytes = 32

/** What only the collector of a home needs, created where it is missing. */
export interface CollectorKeys {
  /** keys/log.key: signs checkpoints. Its owner can sign any tree; only checkpoints kept elsewhere catch that. */
  note: NoteSigner
  /** signer/state.json: what was signed. */
  signerStore: SignerStore
  /** keys/bodies.key: opens, with the store, every body that was not erased. */
  kek: KeyEncryptionKey
}

/** Throws HomeError `key_malformed` or `home_unusable`, StoreError `signer_lost` or `log_key_lost`. */
export async function loadCollectorKeys(home: Home): Promise<CollectorKeys> {
  const { layer, paths, identity } = home
  const empty = { origin: identity.origin, size: 0, root: hashEmptyTree(sha256) }
  const keyExists = async () => (await layer.identify(paths.logKey)) !== undefined
  const signerStore = await openSignerStore(layer, paths.signerState, empty, keyExists)
  const published = await layer.readFile(paths.logVerifierKey)
  if (published !== undefined && !(await keyExists())) throw keyLost(paths, 'is missing')
  const key = await loadOrCreateKey(layer, paths.logKey, 'ed25519')
  const note = toLogSigner(identity.origin, key)
  const line = Buffer.from(`${formatVerifierKey(note.key)}\n`)
  // What outsiders check with. Another key would sign what they then cannot verify, so it must be the same for good.
  if (Buffer.compare(await loadOrCreate(layer, paths.logVerifierKey, () => line), line) !== 0)
    throw keyLost(paths, 'is another key')
  return { note, signerStore, kek: await loadKeyEncryptionKey(home) }
}

function keyLost({ logKey, logVerifierKey }: Home['paths'], why: string): StoreError {
  return new StoreError(
    'log_key_lost',
    `${logKey} ${why}, ${logVerifierKey} names the one this log is signed with: restore it, a new key cannot go on with this log`,
  )
}

/** keys/bodies.key alone, for those who read bodies. */
export async function loadKeyEncryptionKey({ layer, paths }: Home): Promise<KeyEncryptionKey> {
  return toKeyEncryptionKey(sha256, await loadOrCreateSecret(layer, paths.bodiesKey))
}

function toLogSigner(origin: string, key: KeyObject): NoteSigner {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(spki.subarray(-rawKeyBytes))
  return toNoteSigner(sha256, { name: origin }, publicKey, (text) => signEd25519(key, text))
}

import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashEmptyTree } from '@affidavit/evidence/log/hash'
import type { VerifierKey } from '@affidavit/evidence/log/key'
import { toNoteSigner } from '@affidavit/evidence/log/note'
import { sealing, sha256, signEd25519, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import { openX25519 } from '@affidavit/sensor/crypto/seal-box'
import { type FileLayer, systemLayer } from '@affidavit/sensor/durable/layer'
import type { Refusal, SequenceStore } from '../../store/contract.ts'
import { openSignerStore } from '../../store/directory/signer.ts'
import { createDirectoryTiles } from '../../store/directory/tiles.ts'
import { openSequenceStore } from '../../store/sqlite/sequence.ts'
import { toKeyEncryptionKey } from '../../store/wrap.ts'
import { type Collector, openCollector } from '../collector.ts'
import type { CrashHook } from '../crash-hook.ts'
import { createSigner } from '../sign.ts'
import { createTestSensor, openTestStream, rawKey, type TestSensor, type TestStream } from './sensor.ts'

export interface OpenOptions {
  hook?: CrashHook
  /** Default: the operating system's. */
  layer?: FileLayer
  /** Default: the bench's own. */
  directory?: string
}

export interface OpenBench {
  collector: Collector
  store: SequenceStore
  refusals: Refusal[]
  close(): void
}

/** A collector over a temporary folder, with keys that live as long as the test. Opened as often as it "crashes". */
export interface TestBench {
  directory: string
  sensor: TestSensor
  /** What outsiders check the log with. */
  logKey: VerifierKey
  openStream(sensor?: TestSensor): TestStream
  open(options?: OpenOptions): Promise<OpenBench>
  remove(): Promise<void>
}

export const place = { tenant: 'default', epoch: '2026q4' }
export const origin = 'affidavit.local/0123456789abcdef/default/2026q4'

export async function createTestBench(): Promise<TestBench> {
  const directory = await mkdtemp(join(tmpdir(), 'affidavit-collect-'))
  const logKey = generateKeyPairSync('ed25519')
  const collectorKey = generateKeyPairSync('x25519')
  const publicKey = rawKey(collectorKey.publicKey)
  const keyId = Buffer.from(sha256(publicKey)).toString('hex').slice(0, 8)
  const sensor = createTestSensor()
  const kek = toKeyEncryptionKey(sha256, new Uint8Array(32).fill(7))
  const note = toNoteSigner(sha256, { name: origin }, rawKey(logKey.publicKey), (m) =>
    signEd25519(logKey.privateKey, m),
  )
  const empty = { origin, size: 0, root: hashEmptyTree(sha256) }
  const open = async ({ hook, layer = systemLayer, directory: at = directory }: OpenOptions = {}) => {
    const store = openSequenceStore(join(at, 'store', 'collector.db'), hashEmptyTree(sha256))
    const signerStore = await openSignerStore(layer, join(at, 'signer.json'), empty, async () => false)
    const refusals: Refusal[] = []
    const collector = await openCollector({
      sha256,
      sealing,
      tiles: createDirectoryTiles(layer, join(at, 'log')),
      store,
      signer: createSigner({ sha256, note, store: signerStore }),
      kek,
      rules: {
        ...place,
        verifyEd25519,
        collectorKeyId: keyId,
        openSecret: (sealed) => openX25519(collectorKey.privateKey, sealed),
        isEnrolled: (key) => Buffer.compare(key, sensor.publicKey) === 0,
      },
      epoch: { origin, previous: null },
      onRefused: async (_streamId, refusal) => void refusals.push(refusal),
      ...(hook === undefined ? {} : { hook }),
    })
    return { collector, store, refusals, close: () => store.close() }
  }
  return {
    directory,
    sensor,
    logKey: note.key,
    openStream: (of = sensor) => openTestStream({ sensor: of, collector: { keyId, publicKey }, ...place }),
    open,
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

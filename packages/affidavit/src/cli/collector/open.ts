import { hashEmptyTree } from '@affidavit/evidence/log/hash'
import { sealing, sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import { openX25519 } from '@affidavit/sensor/crypto/seal-box'
import type { Home } from '@affidavit/sensor/durable/home'
import { type Collector, openCollector } from '../../collect/collector.ts'
import type { CrashHook } from '../../collect/crash-hook.ts'
import { createSigner } from '../../collect/sign.ts'
import type { Refusal } from '../../store/contract.ts'
import { loadCollectorKeys } from '../../store/directory/keys.ts'
import { createDirectoryTiles } from '../../store/directory/tiles.ts'
import { openSequenceStore } from '../../store/sqlite/sequence.ts'

export interface HomeCollector {
  collector: Collector
  /** After nothing is submitted any more. */
  close(): void
}

/** Builds the collector of a home from its files: log/, store/, signer/, keys/. `onRefused` as in CollectorOptions. */
export async function openHomeCollector(
  home: Home,
  onRefused: (streamId: string, refusal: Refusal) => Promise<void>,
  hook?: CrashHook,
): Promise<HomeCollector> {
  const { tenant, epoch, origin } = home.identity
  const [keys, collectorKey, sensorKey] = await Promise.all([
    loadCollectorKeys(home),
    home.collectorKey(),
    home.sensorKey(),
  ])
  const store = openSequenceStore(home.paths.storeDatabase, hashEmptyTree(sha256))
  const collector = await openCollector({
    sha256,
    sealing,
    tiles: createDirectoryTiles(home.layer, home.paths.log),
    store,
    signer: createSigner({ sha256, note: keys.note, store: keys.signerStore }),
    kek: keys.kek,
    rules: {
      tenant,
      epoch,
      verifyEd25519,
      collectorKeyId: collectorKey.keyId,
      openSecret: (sealed) => openX25519(collectorKey.privateKey, sealed),
      // On one machine there is one sensor: the key in this home.
      isEnrolled: (key) => Buffer.compare(key, sensorKey.publicKey) === 0,
    },
    epoch: { origin, previous: null },
    onRefused,
    ...(hook === undefined ? {} : { hook }),
  })
  return { collector, close: () => store.close() }
}

import { sha256 } from '@affidavit/sensor/crypto/node'
import type { Home } from '@affidavit/sensor/durable/home'
import type { EntrySource } from '../query/indexed-entry.ts'
import type { SequenceReader } from '../store/contract.ts'
import { CommandError } from './failure.ts'
import { openBodies, openStore, openTiles } from './open-home.ts'

/** Log and bodies of a home, open to read until closed. */
export interface OpenSource extends EntrySource {
  store: SequenceReader
  close(): void
}

/** Throws CommandError `AFD_NO_LOG` where no collector ever ran here. */
export async function openSource(home: Home): Promise<OpenSource> {
  const store = openStore(home)
  if (store === undefined) {
    throw new CommandError(
      'AFD_NO_LOG',
      `${home.dir} has no log yet`,
      "Records come into it when something runs under 'affidavit run'; see 'affidavit status'.",
      { retry: true },
    )
  }
  try {
    const bodies = await openBodies(home, store)
    return { origin: home.identity.origin, tiles: openTiles(home), bodies, sha256, store, close: () => store.close() }
  } catch (error) {
    store.close()
    throw error
  }
}

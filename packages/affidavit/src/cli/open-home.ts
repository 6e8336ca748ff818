import { existsSync } from 'node:fs'
import { sealing, sha256 } from '@affidavit/sensor/crypto/node'
import { type Home, openHome, resolveHome } from '@affidavit/sensor/durable/home'
import { toHomePaths } from '@affidavit/sensor/durable/home-paths'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { type BodyOpener, createBodyOpener } from '../store/bodies.ts'
import type { SequenceReader, TileStore } from '../store/contract.ts'
import { createDirectoryTiles } from '../store/directory/tiles.ts'
import { StoreError } from '../store/error.ts'
import { openSequenceReader } from '../store/sqlite/read.ts'
import { toKeyEncryptionKey } from '../store/wrap.ts'
import { CommandError } from './failure.ts'
import type { Arguments } from './options.ts'

/** The folder the arguments and the environment name; it may not exist. */
export function homeFolder(args: Arguments, env: Record<string, string | undefined>): string {
  return resolveHome({ flag: args.text('home'), env })
}

/** Opens a home to read. Creates nothing: an auditor's typing error must not make a new home. Throws CommandError `AFD_NO_HOME`. */
export async function openExistingHome(dir: string): Promise<Home> {
  if (!existsSync(toHomePaths(dir).identity)) {
    throw new CommandError(
      'AFD_NO_HOME',
      `nothing was recorded in ${dir}`,
      "Record a server with 'affidavit run -- COMMAND' or 'affidavit up', or name another folder with --home.",
    )
  }
  return openHome(dir)
}

export function openTiles(home: Home): TileStore {
  return createDirectoryTiles(systemLayer, home.paths.log)
}

/**
 * Undefined before a collector ever ran here, and while the first one is about to create its tables. Throws StoreError
 * where the store is there and unreadable.
 */
export function openStore(home: Home): SequenceReader | undefined {
  try {
    return openSequenceReader(home.paths.storeDatabase)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'store_missing') return undefined
    throw error
  }
}

/** Undefined where keys/bodies.key is missing: then headers can be read and sections cannot. */
export async function openBodies(home: Home, store: SequenceReader): Promise<BodyOpener | undefined> {
  const encoded = await systemLayer.readFile(home.paths.bodiesKey)
  if (encoded === undefined) return undefined
  const key = new Uint8Array(Buffer.from(Buffer.from(encoded).toString('latin1'), 'base64'))
  return createBodyOpener(sealing, toKeyEncryptionKey(sha256, key), store)
}

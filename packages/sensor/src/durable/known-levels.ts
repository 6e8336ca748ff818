import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { toHomePaths } from './home-paths.ts'
import { type FileLayer, systemLayer } from './layer.ts'
import { readSmall } from './read-small.ts'
import { createDirectory, replace } from './write.ts'

/** At which level the calls of servers were captured last, by the name of the server as configured. */
export interface KnownLevels {
  /** Undefined where nothing is known. */
  load(server: string): string | undefined
  save(server: string, level: string): Promise<void>
}

/**
 * Files of the home folder, one per server name: state/levels/<SHA-256 of the name>, mode 0600, one word each, replaced whole.
 * A crash before a level is saved has its change recorded once more by the next process.
 */
export function keepKnownLevels(homeDir: string, layer: FileLayer = systemLayer): KnownLevels {
  const directory = toHomePaths(homeDir).levels
  const pathOf = (server: string) => join(directory, createHash('sha256').update(server).digest('hex'))
  return {
    load: (server) => readSmall(pathOf(server), 64)?.trim(),
    async save(server, level) {
      await createDirectory(layer, directory)
      await replace(layer, pathOf(server), Buffer.from(`${level}\n`))
    },
  }
}

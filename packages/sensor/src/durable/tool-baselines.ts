import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { toHomePaths } from './home-paths.ts'
import { type FileLayer, systemLayer } from './layer.ts'
import { createDirectory, replace, sweepTemporaries } from './write.ts'

/** What is known of the tools of servers, by the name of the server as configured. */
export interface ToolBaselines {
  /** Undefined where nothing is kept. Throws where the system says no, and where it is larger than anything of ours. */
  load(server: string): Promise<Uint8Array | undefined>
  save(server: string, bytes: Uint8Array): Promise<void>
}

/** Ours are at most 11 MB. */
const bytesMax = 16 * 1024 * 1024
const staleMs = 60 * 60 * 1000

class BaselineTooLarge extends Error {
  override readonly name = 'BaselineTooLarge'
  readonly code = 'too_large'
}

/**
 * Files of the home folder, one per server name: state/tools/<SHA-256 of the name>.json, mode 0600. They are replaced
 * whole, so a crash leaves the old one or the new one. Of processes that save at once the last one wins; what the others
 * saw is recorded already, and is at worst recorded again.
 */
export function keepToolBaselines(homeDir: string, layer: FileLayer = systemLayer): ToolBaselines {
  const directory = toHomePaths(homeDir).toolBaselines
  const pathOf = (server: string) => join(directory, `${createHash('sha256').update(server).digest('hex')}.json`)
  let isReady = false
  return {
    async load(server) {
      const path = pathOf(server)
      const there = await layer.identify(path)
      if (there !== undefined && there.size > bytesMax) throw new BaselineTooLarge(`${path} has ${there.size} bytes`)
      return there === undefined ? undefined : layer.readFile(path)
    },
    async save(server, bytes) {
      if (!isReady) {
        await createDirectory(layer, directory)
        await sweepTemporaries(layer, directory, staleMs)
        isReady = true
      }
      await replace(layer, pathOf(server), bytes)
    },
  }
}

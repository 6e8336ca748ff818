import { setTimeout as sleep } from 'node:timers/promises'
import type { FileLayer, LayerFile } from './layer.ts'

/**
 * A layer whose syncs take this much longer, to see what slow disks do to latency. Timers hold no thread, so it stands
 * for a disk (and a thread pool) that works on many syncs at a time.
 */
export function delaySyncs(layer: FileLayer, syncDelayMs: number): FileLayer {
  const slow = (file: LayerFile): LayerFile => ({
    ...file,
    async syncContent() {
      await file.syncContent()
      await sleep(syncDelayMs)
    },
    async syncAll() {
      await file.syncAll()
      await sleep(syncDelayMs)
    },
  })
  return {
    ...layer,
    parallelSyncs: 16,
    open: async (path, mode) => slow(await layer.open(path, mode)),
    async syncDirectory(directory) {
      await layer.syncDirectory(directory)
      await sleep(syncDelayMs)
    },
  }
}

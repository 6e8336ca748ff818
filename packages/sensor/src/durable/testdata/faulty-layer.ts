import type { FileLayer, LayerFile } from '../layer.ts'

export type Operation = 'open' | 'write' | 'syncContent' | 'syncAll' | 'rename' | 'link' | 'unlink' | 'syncDirectory'

/** Called before each operation; what it throws is what the kernel answers. */
export type Fault = (operation: Operation, path: string) => void | Promise<void>

export function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall, errno: -1 })
}

/** A layer that fails where the test says so. */
export function makeFaulty(layer: FileLayer, fault: Fault): FileLayer {
  const wrap = (file: LayerFile, path: string): LayerFile => ({
    ...file,
    async write(bytes, position) {
      await fault('write', path)
      await file.write(bytes, position)
    },
    async syncContent() {
      await fault('syncContent', path)
      await file.syncContent()
    },
    async syncAll() {
      await fault('syncAll', path)
      await file.syncAll()
    },
  })
  return {
    ...layer,
    async open(path, mode) {
      await fault('open', path)
      return wrap(await layer.open(path, mode), path)
    },
    async rename(from, to) {
      await fault('rename', to)
      await layer.rename(from, to)
    },
    async link(from, to) {
      await fault('link', to)
      await layer.link(from, to)
    },
    async unlink(path) {
      await fault('unlink', path)
      await layer.unlink(path)
    },
    async syncDirectory(directory) {
      await fault('syncDirectory', directory)
      await layer.syncDirectory(directory)
    },
  }
}

import { type FileLayer, type LayerFile, toSystemCode } from '../durable/layer.ts'

const windowBytes = 256 * 1024

/** A segment as its reader sees it: bytes at an offset, read in large steps. Must be closed. */
export class Window {
  readonly #file: LayerFile
  #start = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(file: LayerFile) {
    this.#file = file
  }

  /** undefined where nothing is at the path. */
  static async open(layer: FileLayer, path: string): Promise<Window | undefined> {
    try {
      return new Window(await layer.open(path, 'read'))
    } catch (error) {
      if (toSystemCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** At least this many bytes from the offset, fewer only at the end of the file. The bytes stay valid: windows are not reused. */
  async at(offset: number, bytes: number): Promise<Uint8Array> {
    if (offset < this.#start || offset + bytes > this.#start + this.#bytes.length) await this.#read(offset, bytes)
    return this.#bytes.subarray(offset - this.#start)
  }

  async #read(offset: number, bytes: number): Promise<void> {
    const into = new Uint8Array(Math.max(windowBytes, bytes))
    this.#bytes = into.subarray(0, await this.#file.read(into, offset))
    this.#start = offset
  }

  /** Forgets what was read: the file may have been written to since. */
  refresh(): void {
    this.#bytes = new Uint8Array(0)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

import { open } from 'node:fs/promises'

/** A file that was configured, read whole and only if it is small. */
export interface BoundedFile {
  text: string
  modifiedMs: number
}

class FileTooLarge extends Error {
  override readonly name = 'FileTooLarge'
  readonly code = 'too_large'
}

/** Throws the system's error, or FileTooLarge. Devices and pipes that give no end are cut off by the bound, too. */
export async function readBounded(path: string, bytesMax: number): Promise<BoundedFile> {
  const file = await open(path, 'r')
  try {
    const { mtimeMs } = await file.stat()
    const bytes = Buffer.alloc(bytesMax + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null)
      length += bytesRead
      if (length > bytesMax) throw new FileTooLarge(`more than ${bytesMax} bytes`)
      if (bytesRead === 0) break
    }
    return { text: bytes.subarray(0, length).toString(), modifiedMs: mtimeMs }
  } finally {
    await file.close()
  }
}

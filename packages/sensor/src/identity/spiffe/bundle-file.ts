import { readFile, stat } from 'node:fs/promises'
import { BundleError, parseBundleText } from './bundle.ts'
import type { BundleFollower, FollowerParts } from './trust.ts'

const lookEveryMsDefault = 1000
const bundleBytesMax = 1024 * 1024

/** Reads a bundle, and again whenever the file is another one: replaced, or written to. */
export function followFile({ source, take, fail, lookEveryMs = lookEveryMsDefault }: FollowerParts): BundleFollower {
  let known = ''
  const look = async (): Promise<void> => {
    try {
      const { mtimeMs, size, ino, dev } = await stat(source.bundle)
      const mark = [mtimeMs, size, ino, dev].join()
      if (mark === known) return
      known = mark
      if (size > bundleBytesMax) throw new BundleError('too_many_keys')
      take(parseBundleText(await readFile(source.bundle, 'utf8')))
    } catch (error) {
      if (error instanceof BundleError) fail(`its file cannot be used (${error.code})`)
      else if (error instanceof Error && 'code' in error) fail(`its file cannot be read (${String(error.code)})`)
      else throw error
    }
  }
  const first = look()
  // One look at a time: a slow file system would pile them up.
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const again = () => {
    if (isClosed) return
    timer = setTimeout(() => void look().finally(again), lookEveryMs).unref()
  }
  void first.finally(again)
  return {
    first,
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real file system of a few megabytes, to run out of space on. */
export interface SmallDisk {
  directory: string
  /** Leaves this many bytes free, to the block. */
  leaveFree(bytes: number): void
  /** Gives back all that leaveFree took. */
  release(): void
  unmount(): void
}

const run = (command: string, args: string[]) => execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** Fresh from mkfs, ext4 counts a few blocks as free that it does not give. */
function fits(path: string, bytes: number): boolean {
  try {
    writeFileSync(path, new Uint8Array(bytes), { flush: true })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}

/** Mounts one, or says why that is impossible here: it takes root and a kernel that lets us. */
export function mountSmallDisk(type: 'tmpfs' | 'ext4', bytes: number): SmallDisk | string {
  const directory = mkdtempSync(join(tmpdir(), 'affidavit-disk-'))
  const image = `${directory}.img`
  try {
    if (type === 'tmpfs') run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
    else {
      writeFileSync(image, '')
      truncateSync(image, bytes)
      run('mkfs.ext4', ['-q', '-m', '0', image])
      run('mount', ['-o', 'loop', image, directory])
    }
  } catch (error) {
    rmdirSync(directory)
    return `no ${type} can be mounted here: ${error instanceof Error ? error.message.trim() : String(error)}`
  }
  const ballast = join(directory, 'ballast')
  const free = () => {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  }
  return {
    directory,
    leaveFree(wanted) {
      let take = free() - wanted
      while (take > 0 && !fits(ballast, take)) take -= 1024
      // Block maps and rounding: trim to the block.
      for (let size = take; size > 0 && free() < wanted; size -= 1024) truncateSync(ballast, Math.max(0, size - 1024))
    },
    release: () => rmSync(ballast, { force: true }),
    unmount() {
      run('umount', [directory])
      rmdirSync(directory)
      rmSync(image, { force: true })
    },
  }
}

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real ext4 on a device that runs out of space below it, as thin volumes do: writes succeed, syncs fail with EIO. */
export interface ThinDisk {
  directory: string
  /** Has ext4 meet an error, upon which it goes read-only. */
  failFileSystem(): void
  /** Takes the disk away and brings it back, with space below it: nothing that was only in memory is left. */
  replug(): void
  unmount(): void
}

const run = (command: string, args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** Mounts one, or says why that is impossible here. */
export function mountThinDisk(bytes: number, backingBytes: number): ThinDisk | string {
  const top = mkdtempSync(join(tmpdir(), 'affidavit-thin-'))
  const [backing, directory] = [join(top, 'backing'), join(top, 'disk')]
  const image = join(backing, 'image')
  const mount = () => run('mount', ['-o', 'loop,errors=remount-ro', image, directory])
  const undo: (() => void)[] = [() => rmSync(top, { recursive: true })]
  const undoAll = () => {
    for (const step of undo.splice(0).reverse()) step()
  }
  try {
    mkdirSync(backing)
    mkdirSync(directory)
    run('mount', ['-t', 'tmpfs', '-o', `size=${backingBytes}`, 'tmpfs', backing])
    undo.push(() => run('umount', [backing]))
    writeFileSync(image, '')
    truncateSync(image, bytes)
    run('mkfs.ext4', ['-q', '-m', '0', '-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1', image])
    mount()
    undo.push(() => run('umount', [directory]))
  } catch (error) {
    undoAll()
    return `no ext4 on a thin device can be mounted here: ${error instanceof Error ? error.message.trim() : String(error)}`
  }
  return {
    directory,
    failFileSystem() {
      const device = run('findmnt', ['-n', '-o', 'SOURCE', directory]).trim().replace('/dev/', '')
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, '1')
    },
    replug() {
      run('umount', [directory])
      run('mount', ['-o', `remount,size=${2 * bytes}`, backing])
      mount()
    },
    unmount: undoAll,
  }
}

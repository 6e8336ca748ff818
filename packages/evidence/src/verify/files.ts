import { VerifyError } from '../log/error.ts'
import { equalBytes } from '../log/hash.ts'
import { parseTilePath, type TileRef, tilePath, tileWidth, widthInTree } from '../log/tile.ts'
import type { ProblemSink } from './problem.ts'
import type { ReadFile } from './tile-check.ts'

export interface FileCheck {
  readonly readFile: ReadFile
  readonly listFiles: () => AsyncIterable<string>
  readonly problems: ProblemSink
  readonly size: number
}

/**
 * Looks at the files that the tree of this size does not need: older, narrower versions of tiles must be beginnings of
 * the current ones. What reaches beyond the tree (a growth that was not published yet) is left alone: nothing relies on
 * it. Call it after the current tiles were verified.
 */
export async function verifyFiles(check: FileCheck): Promise<void> {
  for await (const path of check.listFiles()) {
    const ref = toRef(path)
    // Whatever else lies in the folder is no part of the log: no reader ever asks for it.
    if (ref !== undefined) await verifyFile(check, path, ref)
  }
}

async function verifyFile({ readFile, problems, size }: FileCheck, path: string, ref: TileRef): Promise<void> {
  const width = widthInTree(ref.level, ref.index, size)
  if (ref.width >= width) return
  const current = { ...ref, width }
  const [old, now] = [await readFile(path), await readFile(tilePath(current))]
  // The walk fell back to the full tile where the partial one was gone.
  const whole = now ?? (await readFile(tilePath({ ...ref, width: tileWidth })))
  if (old === undefined || whole === undefined) return
  const length = prefixLength(whole, ref)
  if (length === undefined || !equalBytes(old, whole.subarray(0, length)))
    problems.add('tile_altered', { path }, `${path} is not a beginning of ${tilePath(current)}`)
}

/** Bytes of the first `width` hashes or entries; undefined where there are not as many. */
function prefixLength(bytes: Uint8Array, { level, width }: TileRef): number | undefined {
  if (level !== 'entries') return width * 32
  let at = 0
  for (let count = 0; count < width; count++) {
    const [high, low] = [bytes[at], bytes[at + 1]]
    if (high === undefined || low === undefined) return undefined
    at += 2 + high * 256 + low
  }
  return at
}

function toRef(path: string): TileRef | undefined {
  try {
    return parseTilePath(path)
  } catch (error) {
    if (error instanceof VerifyError && error.code === 'bad_tile_path') return undefined
    throw error
  }
}

import type { DatabaseSync } from 'node:sqlite'
import type { Home } from '@affidavit/sensor/durable/home'
import { IndexError } from '../query/error.ts'
import { readPublished } from '../query/log-reader.ts'
import { updateIndex } from '../query/sqlite/follow.ts'
import { openForReading } from '../query/sqlite/open.ts'
import { readSize } from '../query/sqlite/write.ts'
import type { CommandContext } from './command.ts'
import { CommandError } from './failure.ts'
import { formatCount } from './format.ts'
import type { OpenSource } from './index-source.ts'

const waitMs = 5_000

/**
 * The index, at the log as published when the command began: usually the follower has it there; else it is brought
 * there now, for at most five seconds, and stderr says so where that was not enough.
 */
export async function openIndex(home: Home, source: OpenSource, context: CommandContext): Promise<DatabaseSync> {
  const published = (await readPublished(source.tiles))?.size ?? 0
  const size = readIndexedSize(home)
  if (size > published) throw aheadOfLog(home, size, published)
  if (size < published) await bringUp(home, source, context)
  const db = openForReading(home.paths.indexDatabase, home.identity.origin)
  const reached = readSize(db)
  if (reached < published) await context.stderr.write(describeBehind(reached, published))
  return db
}

/** −1 where there is no index, or none that this version reads. */
export function readIndexedSize(home: Home): number {
  try {
    const db = openForReading(home.paths.indexDatabase, home.identity.origin)
    try {
      return readSize(db)
    } finally {
      db.close()
    }
  } catch (error) {
    if (error instanceof IndexError) return -1
    throw error
  }
}

/** On a home that may only be read, what the index has is what there is. */
async function bringUp(home: Home, source: OpenSource, context: CommandContext): Promise<void> {
  const signal = AbortSignal.any([AbortSignal.timeout(waitMs), context.signal])
  try {
    await updateIndex(source, home.paths.indexDatabase, signal)
  } catch (error) {
    if (!isReadOnly(error)) throw error
  }
}

function isReadOnly(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM') return true
  return error.code === 'ERR_SQLITE_ERROR' && /readonly|unable to open/.test(error.message)
}

function describeBehind(reached: number, published: number): string {
  const what = `the index has read ${formatCount(reached)} of ${formatCount(published)} entries`
  return `affidavit: ${what}; what follows is incomplete. Try again, or 'affidavit index rebuild'. [AFD_INDEX_BEHIND]\n`
}

function aheadOfLog(home: Home, size: number, published: number): CommandError {
  return new CommandError(
    'AFD_INDEX_AHEAD',
    `the index of ${home.dir} has read ${formatCount(size)} entries, the log has ${formatCount(published)}`,
    "The log was cut or set back: run 'affidavit verify'.",
  )
}

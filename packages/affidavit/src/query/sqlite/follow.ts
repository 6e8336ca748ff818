import { existsSync, type Stats, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { IndexError } from '../error.ts'
import { type EntrySource, readIndexedEntries } from '../indexed-entry.ts'
import { type Published, readAtPublished, readPublished } from '../log-reader.ts'
import { clearIndex, openForWriting } from './open.ts'
import { createWriter, type IndexWriter } from './write.ts'

/** Entries per transaction: large enough that the sync is no cost, small enough that a query waits for no one. */
const batchEntries = 4096
const pollMs = 100

/**
 * Keeps the index at the published log until the signal aborts. Its cursor is in the index itself and moves with the
 * rows: a crash anywhere repeats or continues, never skips. An index that is deleted underneath is built again.
 * Throws IndexError `index_ahead` where the log is shorter than what was indexed: somebody cut it.
 */
export async function followIndex(source: EntrySource, file: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const db = openForWriting(file, source.origin)
    const opened = identify(file)
    try {
      const writer = createWriter(db)
      while (!signal.aborted && isSame(opened, identify(file))) {
        if (!(await catchUp(source, writer, signal))) await pause(signal)
      }
    } finally {
      db.close()
    }
  }
}

/** Brings the index to the checkpoint published now, or as far as it gets before the signal aborts. Returns its size. */
export async function updateIndex(source: EntrySource, file: string, signal: AbortSignal): Promise<number> {
  const db = openForWriting(file, source.origin)
  try {
    const writer = createWriter(db)
    while (!signal.aborted && (await catchUp(source, writer, signal)));
    return writer.size()
  } finally {
    db.close()
  }
}

/**
 * Empties the index and derives it again from log and bodies, up to the checkpoint published now. A follower that has it
 * open takes part: whoever moves the cursor first writes a batch. Returns its size.
 */
export async function rebuildIndex(
  source: EntrySource,
  file: string,
  progress: (size: number) => void,
): Promise<number> {
  if (existsSync(file)) clearIndex(file, source.origin)
  const db = openForWriting(file, source.origin)
  const forever = new AbortController().signal
  try {
    const writer = createWriter(db)
    while (await catchUp(source, writer, forever, progress));
    return writer.size()
  } finally {
    db.close()
  }
}

/** Applies what is published beyond the cursor. False where there was nothing. */
async function catchUp(
  source: EntrySource,
  writer: IndexWriter,
  signal: AbortSignal,
  progress: (size: number) => void = () => undefined,
): Promise<boolean> {
  const published = await readPublished(source.tiles)
  const from = writer.size()
  const size = published?.size ?? 0
  if (size < from) {
    throw new IndexError('index_ahead', `the log has ${size} entries, the index has read ${from} of it`)
  }
  for (let at = from; at < size && !signal.aborted; at += batchEntries) {
    const to = Math.min(size, at + batchEntries)
    const moved = await attempt(source, async ({ size: now }) => {
      writer.apply(await readIndexedEntries(source, { from: at, to }, now))
    })
    // Another writer was faster (a rebuild beside the follower): look again.
    if (!moved) return true
    progress(to)
  }
  return size > from
}

async function attempt(source: EntrySource, work: (published: Published) => Promise<void>): Promise<boolean> {
  try {
    await readAtPublished(source.tiles, work)
    return true
  } catch (error) {
    if (error instanceof IndexError && error.code === 'index_moved') return false
    throw error
  }
}

function identify(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false })
}

function isSame(a: Stats | undefined, b: Stats | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(pollMs, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

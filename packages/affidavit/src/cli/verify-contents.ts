import { VerifyError } from '@affidavit/evidence/log/error'
import { tilePath, tileWidth, widthInTree } from '@affidavit/evidence/log/tile'
import type { Sha256 } from '@affidavit/evidence/record/crypto'
import type { Envelope } from '@affidavit/evidence/record/envelope'
import { RecordError } from '@affidavit/evidence/record/error'
import type { Header } from '@affidavit/evidence/record/header'
import { examineBundle } from '@affidavit/evidence/verify/examine'
import type { BodyOpener } from '../store/bodies.ts'
import { StoreError } from '../store/error.ts'

type AsyncItem<T> = T extends AsyncGenerator<infer Item> ? Item : never
export type LeafBody = AsyncItem<ReturnType<BodyOpener['openAll']>>

/** One entry as the parts beside the log are held to it. */
export interface Leaf {
  leaf: number
  header: Header
  headerHash: Uint8Array
  envelope: Envelope
  /** Undefined where no body could be looked for, because the key to all of them is missing. */
  body: LeafBody | undefined
}

/** Consecutive leaves; those that do not parse are left out, for the walk through the log reports them. */
export interface LeafPage {
  from: number
  to: number
  leaves: Leaf[]
}

/** Something that is derived from the log, or belongs to it, and is compared while the log goes by. */
export interface LeafCheck {
  follow(page: LeafPage): void | Promise<void>
  /** After the last page; all leaves below `end` went by. */
  end(end: number): void | Promise<void>
}

export interface ContentsOptions {
  sha256: Sha256
  readFile(path: string): Promise<Uint8Array | undefined>
  size: number
  /** Leaves to walk, from the beginning of a bundle on. */
  from: number
  to: number
  bodies: BodyOpener | undefined
  /** Runs once per bundle, with the leaves that went by. */
  onProgress(done: number): void
}

/** Reads a part of the log again, with its bodies, and shows it to the checks page by page. Ends where a bundle is not readable. */
export async function walkContents(options: ContentsOptions, checks: readonly LeafCheck[]): Promise<void> {
  let done = options.from
  for (let from = options.from; from < options.to; from += tileWidth) {
    const page = await readPage(options, from)
    if (page === undefined) break
    for (const check of checks) await check.follow(page)
    done = page.to
    options.onProgress(done - options.from)
  }
  for (const check of checks) await check.end(done)
}

async function readPage(
  { readFile, sha256, size, bodies }: ContentsOptions,
  from: number,
): Promise<LeafPage | undefined> {
  const index = from / tileWidth
  const width = widthInTree('entries', index, size)
  const bytes = await readFile(tilePath({ level: 'entries', index, width }))
  const examined = bytes === undefined ? undefined : tryExamine(sha256, bytes, width)
  if (examined === undefined) return undefined
  const opened = await readBodies(bodies, from, from + width)
  const leaves = examined.entries.flatMap((entry, i) =>
    'error' in entry ? [] : [{ leaf: from + i, ...entry, body: opened?.[i] }],
  )
  return { from, to: from + width, leaves }
}

function tryExamine(sha256: Sha256, bytes: Uint8Array, width: number) {
  try {
    return examineBundle(sha256, bytes, width)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

async function readBodies(bodies: BodyOpener | undefined, from: number, to: number): Promise<LeafBody[] | undefined> {
  if (bodies === undefined) return undefined
  const opened: LeafBody[] = []
  try {
    for await (const body of bodies.openAll(from, to)) opened.push(body)
    return opened
  } catch (error) {
    if (!isDamage(error)) throw error
    return readEach(bodies, from, to)
  }
}

/** Something that several bodies share is damaged: one by one it shows which of them still open. */
async function readEach(bodies: BodyOpener, from: number, to: number): Promise<LeafBody[]> {
  const opened: LeafBody[] = []
  for (let leaf = from; leaf < to; leaf++) {
    try {
      opened.push(await bodies.open(leaf))
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      opened.push({ status: 'failed', leaf, cause })
    }
  }
  return opened
}

function isDamage(error: unknown): boolean {
  if (error instanceof RecordError || error instanceof StoreError) return true
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

import { createHash } from 'node:crypto'
import { readFile, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { systemLayer, toSystemCode } from '../durable/layer.ts'
import { createDirectory, createOnce, replace } from '../durable/write.ts'
import type { Location } from '../install/locations.ts'
import type { EntryMemory } from '../install/planned.ts'
import { UsageError } from './usage-error.ts'

/**
 * What `install` did, in the home folder: `install/state.json` and copies of the files as they were. Both hold what the
 * files hold, tokens included, and are readable by their user alone. Nothing depends on the copies but people: `uninstall`
 * takes out what was put in, so that what was edited meanwhile stays.
 */

const entry = z.union([
  z.object({ path: z.array(z.string()), url: z.string(), to: z.string(), upstream: z.string() }),
  z.object({
    path: z.array(z.string()),
    argsAbsent: z.literal(true).exactOptional(),
    shimWords: z.int().positive().exactOptional(),
  }),
])
const location = z.object({
  client: z.enum(['claude-desktop', 'claude-code', 'cursor', 'vscode']),
  scope: z.enum(['user', 'project', 'managed']),
  path: z.string(),
  servers: z.array(z.array(z.string())),
})
const state = z.object({
  v: z.literal(1),
  files: z.array(z.object({ location, after: z.string(), copies: z.array(z.string()), entries: z.array(entry) })),
  gateway: z
    .object({
      after: z.string(),
      copy: z.string().exactOptional(),
      made: z.literal(true).exactOptional(),
      upstreams: z.array(z.string()),
    })
    .exactOptional(),
})

export interface FileMemory {
  location: Location
  /** SHA-256 of the file as it was left, hex. */
  after: string
  /** Names of copies, the oldest first. */
  copies: string[]
  entries: EntryMemory[]
}

export interface InstallMemory {
  files: FileMemory[]
  gateway?: GatewayMemory
}

/** Of the gateway's configuration: `install` made it, or has a copy of what was there, or neither: then it was edited since. */
export interface GatewayMemory {
  /** SHA-256 of the file as it was left, hex. */
  after: string
  made?: true
  copy?: string
  upstreams: string[]
}

export interface MemoryFolder {
  folder: string
  state: string
  copies: string
}

export function memoryFolder(home: string): MemoryFolder {
  const folder = join(home, 'install')
  return { folder, state: join(folder, 'state.json'), copies: join(folder, 'copies') }
}

/** Empty where nothing was installed. Throws UsageError `AFD_CONFIG_INVALID` where the state is damaged. */
export async function readMemory({ state: path }: MemoryFolder): Promise<InstallMemory> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return { files: [] }
  const { data: kept } = state.safeParse(parseJson(Buffer.from(bytes).toString('utf8')))
  if (kept === undefined)
    throw new UsageError(
      'AFD_CONFIG_INVALID',
      `${path} is damaged`,
      'Move it away: entries are undone by what they show then.',
    )
  return kept
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export async function writeMemory(folder: MemoryFolder, { files, gateway }: InstallMemory): Promise<void> {
  await createDirectory(systemLayer, folder.folder)
  await replace(systemLayer, folder.state, Buffer.from(`${JSON.stringify({ v: 1, files, gateway }, undefined, 2)}\n`))
}

/** Keeps a copy under a name that says what it holds, so that the same content is kept once. Returns the name. */
export async function keepCopy(folder: MemoryFolder, path: string, bytes: Uint8Array): Promise<string> {
  await createDirectory(systemLayer, folder.copies)
  const name = `${hashOf(bytes).slice(0, 16)}-${basename(path)}`
  await createOnce(systemLayer, join(folder.copies, name), bytes)
  return name
}

export async function readCopy(folder: MemoryFolder, name: string): Promise<Uint8Array | undefined> {
  return systemLayer.readFile(join(folder.copies, name))
}

/** Deletes copies that no memory names any more. */
export async function dropCopies(folder: MemoryFolder, names: readonly string[], memory: InstallMemory): Promise<void> {
  const kept = new Set([...memory.files.flatMap(({ copies }) => copies), memory.gateway?.copy])
  for (const name of names.filter((each) => !kept.has(each))) {
    try {
      await unlink(join(folder.copies, name))
    } catch (error) {
      if (toSystemCode(error) !== 'ENOENT') throw error
    }
  }
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function recallFile({ files }: InstallMemory, path: string): FileMemory | undefined {
  return files.find((file) => file.location.path === path)
}

/** The file's bytes; undefined where it is not there, or its folder is none. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(toSystemCode(error) ?? '')) return undefined
    throw error
  }
}

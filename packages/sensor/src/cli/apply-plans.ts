import { unlink } from 'node:fs/promises'
import { systemLayer } from '../durable/layer.ts'
import { createOnce } from '../durable/write.ts'
import { type EntryMemory, type FilePlan, isChanged } from '../install/planned.ts'
import { FileChangedError, replaceFile } from '../install/replace-file.ts'
import { isSamePath } from '../install/servers.ts'
import {
  dropCopies,
  type FileMemory,
  type GatewayMemory,
  hashOf,
  type InstallMemory,
  keepCopy,
  type MemoryFolder,
  readCopy,
  recallFile,
  writeMemory,
} from './install-memory.ts'
import type { GatewayUpstreams } from './install-upstreams.ts'

/** How a plan went. `failure` says why its file is as it was. */
export interface Applied {
  plan: FilePlan
  failure?: string
}

export interface ApplyContext {
  folder: MemoryFolder
  memory: InstallMemory
  upstreams: GatewayUpstreams
}

/**
 * Does what `install` planned. Copies come first, then the memory, then the gateway's configuration, then the clients'
 * files: a crash after any of them leaves clients that work as before, or entries that the memory knows, never an entry that
 * nobody could undo or a URL that the gateway does not know. A memory of what was not done does no harm.
 */
export async function applyInstall(
  plans: readonly FilePlan[],
  { folder, memory, upstreams }: ApplyContext,
): Promise<Applied[]> {
  const changed = plans.filter(isChanged)
  const files = new Map(memory.files.map((file) => [file.location.path, file]))
  for (const plan of changed)
    files.set(plan.location.path, await rememberPlan(folder, plan, recallFile(memory, plan.location.path)))
  const gateway = await rememberGateway(folder, upstreams, memory.gateway)
  const planned = { files: [...files.values()], ...(gateway === undefined ? {} : { gateway }) }
  await writeMemory(folder, planned)
  if (upstreams.added.length > 0) await writeUpstreams(upstreams)
  const applied: Applied[] = []
  for (const plan of changed) applied.push(await applyPlan(plan))
  const failed = applied.filter(({ failure }) => failure !== undefined).map(({ plan }) => plan.location.path)
  if (failed.length > 0) await writeMemory(folder, { ...planned, files: forget(planned.files, failed, memory) })
  return applied
}

/** Files that could not be changed are remembered as before. */
function forget(files: readonly FileMemory[], failed: readonly string[], before: InstallMemory): FileMemory[] {
  return files.flatMap((file) => {
    if (!failed.includes(file.location.path)) return [file]
    const was = recallFile(before, file.location.path)
    return was === undefined ? [] : [was]
  })
}

async function rememberPlan(folder: MemoryFolder, plan: FilePlan, known: FileMemory | undefined): Promise<FileMemory> {
  // What we left ourselves needs no copy: there is one of what was before.
  const copies = known?.after === hashOf(plan.before) ? [] : [await keepCopy(folder, plan.location.path, plan.before)]
  return {
    location: plan.location,
    after: hashOf(plan.after),
    copies: [...new Set([...(known?.copies ?? []), ...copies])],
    entries: [...withoutEntries(known?.entries ?? [], plan.entries), ...plan.entries],
  }
}

function withoutEntries(entries: readonly EntryMemory[], gone: readonly EntryMemory[]): EntryMemory[] {
  return entries.filter(({ path }) => !gone.some((each) => isSamePath(each.path, path)))
}

async function rememberGateway(
  folder: MemoryFolder,
  upstreams: GatewayUpstreams,
  known: GatewayMemory | undefined,
): Promise<GatewayMemory | undefined> {
  const { added, before } = upstreams
  if (added.length === 0) return known
  const rest = { after: hashOf(upstreams.render()), upstreams: [...new Set([...(known?.upstreams ?? []), ...added])] }
  if (before === undefined) return { ...rest, made: true }
  if (known === undefined) return { ...rest, copy: await keepCopy(folder, upstreams.path, before) }
  // Edited since: neither the copy nor its absence is what would come back without us.
  return hashOf(before) === known.after ? { ...known, ...rest } : rest
}

async function writeUpstreams(upstreams: GatewayUpstreams): Promise<void> {
  if (upstreams.before !== undefined) return replaceFile(upstreams.path, upstreams.before, upstreams.render())
  const created = await createOnce(systemLayer, upstreams.path, upstreams.render())
  if (created === 'exists') throw new FileChangedError(upstreams.path)
}

async function applyPlan(plan: FilePlan): Promise<Applied> {
  try {
    await replaceFile(plan.location.path, plan.before, plan.after)
    return { plan }
  } catch (error) {
    if (error instanceof FileChangedError) return { plan, failure: 'another program changed it meanwhile; try again' }
    if (error instanceof Error && 'syscall' in error && 'code' in error)
      return { plan, failure: `it cannot be written (${String(error.code)})` }
    throw error
  }
}

/**
 * Does what `uninstall` planned, in the opposite order: first the clients' files, then the gateway's configuration, then
 * the memory. A crash in between leaves upstreams that nobody asks for, or a memory of entries that are gone.
 */
export async function applyUninstall(
  plans: readonly FilePlan[],
  { folder, memory, upstreams }: ApplyContext,
): Promise<Applied[]> {
  const applied: Applied[] = []
  for (const plan of plans.filter(isChanged)) applied.push(await applyPlan(plan))
  const undone = applied.filter(({ failure }) => failure === undefined).map(({ plan }) => plan)
  const files = memory.files.flatMap((file) => afterUndo(file, undone))
  const gateway = await removeUpstreams(
    folder,
    { files, ...(memory.gateway === undefined ? {} : { gateway: memory.gateway }) },
    upstreams,
  )
  const left = { files, ...(gateway === undefined ? {} : { gateway }) }
  if (undone.length > 0 || gateway !== memory.gateway) await writeMemory(folder, left)
  await dropCopies(folder, namesToDrop(memory, undone), left)
  return applied
}

/** Copies of files that are now as they were; a copy of anything else may still be wanted. */
function namesToDrop(memory: InstallMemory, undone: readonly FilePlan[]): string[] {
  const restored = undone.flatMap(({ location, after }) => {
    const copies = recallFile(memory, location.path)?.copies ?? []
    return copies.some((name) => name.startsWith(hashOf(after).slice(0, 16))) ? copies : []
  })
  return memory.gateway?.copy === undefined ? restored : [...restored, memory.gateway.copy]
}

function afterUndo(file: FileMemory, undone: readonly FilePlan[]): FileMemory[] {
  const plan = undone.find(({ location }) => location.path === file.location.path)
  if (plan === undefined) return [file]
  const entries = withoutEntries(file.entries, plan.entries)
  if (entries.length === 0) return []
  return [{ ...file, entries, ...(hashOf(plan.before) === file.after ? { after: hashOf(plan.after) } : {}) }]
}

/** Takes out the upstreams that no entry asks for any more; the whole file where it is as `install` left it. */
async function removeUpstreams(
  folder: MemoryFolder,
  { files, gateway }: InstallMemory,
  upstreams: GatewayUpstreams,
): Promise<GatewayMemory | undefined> {
  if (gateway === undefined) return undefined
  const wanted = new Set(
    files.flatMap(({ entries }) => entries.flatMap((entry) => ('upstream' in entry ? [entry.upstream] : []))),
  )
  const unwanted = gateway.upstreams.filter((name) => !wanted.has(name))
  if (unwanted.length === 0) return gateway
  const { before, path } = upstreams
  if (before === undefined || upstreams.problem !== undefined) return undefined
  const isOurs = hashOf(before) === gateway.after
  const isAll = unwanted.length === gateway.upstreams.length
  if (isAll && isOurs && gateway.made === true) {
    await unlink(path)
    return undefined
  }
  const copy = isAll && isOurs && gateway.copy !== undefined ? await readCopy(folder, gateway.copy) : undefined
  for (const name of unwanted) upstreams.remove(name)
  const after = copy ?? upstreams.render()
  await replaceFile(path, before, after)
  if (isAll) return undefined
  return {
    ...gateway,
    upstreams: gateway.upstreams.filter((name) => wanted.has(name)),
    ...(isOurs ? { after: hashOf(after) } : {}),
  }
}

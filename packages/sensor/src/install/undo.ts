import { applyEdits, type Edit } from 'jsonc-parser'
import { type ConfigDocument, encodeDocument } from './document.ts'
import { judgeServer } from './judge.ts'
import type { Location } from './locations.ts'
import { type EntryMemory, type FilePlan, type PlannedServer, type Selects, toPlanned } from './planned.ts'
import { readRedirected, restoreEdits } from './redirect.ts'
import { findServer, isSamePath, listServers, type Server } from './servers.ts'
import { left, type Surroundings } from './verdict.ts'
import { unwrapEdits } from './wrap.ts'

/** The text of a file without what these memories tell of. Entries that are gone or were changed beyond recognition stay. */
export function undoEntries(location: Location, document: ConfigDocument, entries: readonly EntryMemory[]): string {
  const servers = listServers(document.root, location.servers)
  const edits = entries.flatMap((memory) => {
    const server = findServer(servers, memory.path)
    return server === undefined || server.isTwice ? [] : undoEntry(document.text, server, memory)
  })
  return applyEdits(document.text, edits)
}

function undoEntry(text: string, server: Server, memory: EntryMemory): Edit[] {
  const entry = server.member.value
  return 'url' in memory ? restoreEdits(entry, memory) : (unwrapEdits(text, entry, memory) ?? [])
}

export interface UninstallOptions {
  surroundings: Surroundings
  selects: Selects
  /** What `install` remembers of this file. Without a memory entries are undone by what they show. */
  memories: readonly EntryMemory[]
  /** The URL of an upstream in the gateway's configuration. */
  upstreamUrl(upstream: string): string | undefined
}

/**
 * Plans what `uninstall` does to a file: takes `affidavit run` from every command and the gateway from every URL, whoever put
 * them there, for without affidavit neither works. Only servers that this concerns are listed.
 */
export function planUninstall(location: Location, document: ConfigDocument, options: UninstallOptions): FilePlan {
  const edits: Edit[] = []
  const entries: EntryMemory[] = []
  const servers = listServers(document.root, location.servers)
    .filter((server) => options.selects(location, server))
    .flatMap((server): PlannedServer[] => {
      const { transport, verdict } = judgeServer(server, options.surroundings)
      if (verdict.state !== 'covered') return []
      if (location.scope === 'managed') return [toPlanned(server, transport, left('managed'))]
      const memory = recall(server, verdict.by, options)
      const undone = memory === undefined ? [] : undoEntry(document.text, server, memory)
      if (memory === undefined || undone.length === 0)
        return [toPlanned(server, transport, left(verdict.by === 'run' ? 'malformed' : 'origin_unknown'))]
      edits.push(...undone)
      entries.push(memory)
      return [toPlanned(server, transport, { state: verdict.by === 'run' ? 'unwrap' : 'restore' })]
    })
  const before = encodeDocument(document, document.text)
  return { location, before, after: encodeDocument(document, applyEdits(document.text, edits)), servers, entries }
}

/** What is remembered of an entry, else what the entry and the gateway's configuration say themselves. */
function recall(server: Server, by: 'run' | 'gateway', options: UninstallOptions): EntryMemory | undefined {
  const { path } = server
  const kept = options.memories.find(
    (memory) => isSamePath(memory.path, path) && 'url' in memory === (by === 'gateway'),
  )
  if (by === 'run') return kept ?? { path }
  const shown = readRedirected(server.member.value, options.surroundings.gatewayOrigin)
  if (kept !== undefined && 'to' in kept && kept.to === shown?.to) return kept
  const url = shown === undefined ? undefined : options.upstreamUrl(shown.upstream)
  if (shown === undefined || url === undefined) return undefined
  return { path, url: JSON.stringify(url + shown.search), to: shown.to, upstream: shown.upstream }
}

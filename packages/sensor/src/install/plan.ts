import { applyEdits, type Edit, type Node } from 'jsonc-parser'
import { type ConfigDocument, encodeDocument, isUnparsable, memberOf, parseDocument, textOf } from './document.ts'
import { judgeServer } from './judge.ts'
import type { Client, Location } from './locations.ts'
import { type EntryMemory, type FilePlan, type Selects, toPlanned } from './planned.ts'
import { type RedirectMemory, redirectEdit, toGatewayUrl } from './redirect.ts'
import { listServers, type Server } from './servers.ts'
import { undoEntries } from './undo.ts'
import { left, type Surroundings, type Verdict } from './verdict.ts'
import { type WrapMemory, type WrapWords, wrapEdits } from './wrap.ts'

export interface InstallOptions {
  surroundings: Surroundings
  selects: Selects
  /** The words to put before a command, for a server of this name. */
  wrapWords(server: string, command: string): WrapWords
  /** The upstream that stands for this URL; undefined where the gateway's configuration cannot take it. */
  claimUpstream(server: string, client: Client, url: URL): string | undefined
}

interface Change {
  edits: Edit[]
  memory: WrapMemory | RedirectMemory
}

/**
 * Plans what `install` does to a file. It plans nothing that it cannot undo: the undoing is tried on the result, and has to
 * give back every byte.
 */
export function planInstall(location: Location, document: ConfigDocument, options: InstallOptions): FilePlan {
  const edits: Edit[] = []
  const entries: EntryMemory[] = []
  const servers = listServers(document.root, location.servers)
    .filter((server) => options.selects(location, server))
    .map((server) => {
      const { transport, verdict } = judgeServer(server, options.surroundings)
      const allowed = location.scope === 'managed' && verdict.state !== 'covered' ? left('managed') : verdict
      const change = planChange({ client: location.client, text: document.text, server, verdict: allowed }, options)
      if (change === undefined)
        return toPlanned(server, transport, allowed.state === 'redirect' ? left('gateway_unusable') : allowed)
      edits.push(...change.edits)
      entries.push({ path: server.path, ...change.memory })
      return toPlanned(server, transport, allowed)
    })
  const before = encodeDocument(document, document.text)
  const after = encodeDocument(document, applyEdits(document.text, edits))
  if (!isUndone(location, { before, after, entries }))
    throw new Error('the change planned for a configuration file could not be undone')
  return { location, before, after, servers, entries }
}

interface Judgement {
  client: Client
  text: string
  server: Server
  verdict: Verdict
}

function planChange({ client, text, server, verdict }: Judgement, options: InstallOptions): Change | undefined {
  const entry = server.member.value
  if (verdict.state === 'wrap') return wrapEdits(text, entry, options.wrapWords(server.name, commandOf(entry)))
  if (verdict.state !== 'redirect') return undefined
  const upstream = options.claimUpstream(server.name, client, verdict.url)
  if (upstream === undefined) return undefined
  return redirectEdit(text, entry, {
    upstream,
    to: toGatewayUrl(options.surroundings.gatewayOrigin, upstream, verdict.url),
  })
}

function commandOf(entry: Node): string {
  return textOf(memberOf(entry, 'command')?.value) ?? ''
}

function isUndone(location: Location, plan: Pick<FilePlan, 'before' | 'after' | 'entries'>): boolean {
  const parsed = parseDocument(plan.after)
  if (isUnparsable(parsed)) return false
  return Buffer.from(encodeDocument(parsed, undoEntries(location, parsed, plan.entries))).equals(plan.before)
}

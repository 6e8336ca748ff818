import { memberOf, textOf } from './document.ts'
import type { Location } from './locations.ts'
import type { RedirectMemory } from './redirect.ts'
import type { Server } from './servers.ts'
import type { Transport, Verdict } from './verdict.ts'
import type { WrapMemory } from './wrap.ts'
import { commandLineOf } from './wrapped.ts'

/** What was done to one entry, kept so that it can be undone to the byte. */
export type EntryMemory = { path: readonly string[] } & (WrapMemory | RedirectMemory)

export interface PlannedServer {
  name: string
  path: readonly string[]
  project?: string
  transport: Transport
  verdict: Verdict
  /** The command line or the URL as the file has it, for those who know how to show it: it may hold secrets. */
  words?: readonly string[]
  url?: string
}

/** What is to become of one file. Where nothing is, `after` equals `before`. */
export interface FilePlan {
  location: Location
  before: Uint8Array
  after: Uint8Array
  servers: PlannedServer[]
  /** The changed ones. */
  entries: EntryMemory[]
}

/** Whether a command was asked to deal with this server. */
export type Selects = (location: Location, server: { name: string; project?: string }) => boolean

export function toPlanned(server: Server, transport: Transport, verdict: Verdict): PlannedServer {
  const { name, path, project, member } = server
  const words = commandLineOf(member.value)
  const url = textOf(memberOf(member.value, 'url')?.value)
  return {
    name,
    path,
    ...(project === undefined ? {} : { project }),
    transport,
    verdict,
    ...(words === undefined ? {} : { words }),
    ...(url === undefined ? {} : { url }),
  }
}

export function isChanged({ before, after }: FilePlan): boolean {
  return !Buffer.from(before).equals(after)
}

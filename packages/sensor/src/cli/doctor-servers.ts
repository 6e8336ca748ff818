import { existsSync, readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { judgeServer } from '../install/judge.ts'
import { clientTitles, extensionFolders, type Location, projectLocations } from '../install/locations.ts'
import { type PlannedServer, toPlanned } from '../install/planned.ts'
import { readRedirected } from '../install/redirect.ts'
import { listServers, type Server } from '../install/servers.ts'
import { leftReasons } from '../install/verdict.ts'
import { commandLineOf, findWrapped } from '../install/wrapped.ts'
import { type ClientFiles, isAsked, locationsFor, readClientFiles, selectsFor, toMachine } from './client-files.ts'
import type { InstallMemory } from './install-memory.ts'
import type { InstallArguments } from './install-options.ts'
import type { GatewayUpstreams } from './install-upstreams.ts'
import type { World } from './world.ts'

/** How one server of one client stands. `broken`: its calls go through affidavit, and fail. */
export interface ServerFinding {
  location: Location
  server: Pick<PlannedServer, 'name' | 'path' | 'project' | 'transport' | 'words' | 'url'>
  state: 'covered' | 'uncovered' | 'broken'
  /** Stays the same across versions. */
  reason: string
  text: string
}

const projectsMax = 1000

/** The files of the user, of the project at hand, of every project that Claude Code knows, and of those installed before. */
export async function readAllFiles(args: InstallArguments, world: World, memory: InstallMemory): Promise<ClientFiles> {
  const here = locationsFor(args, world)
  const first = await readClientFiles(here)
  if (args.project !== undefined) return first
  const machine = toMachine(world)
  const projects = first.readable.flatMap(({ location, document }) =>
    listProjects(location, document.root).flatMap((folder) => projectLocations(machine, folder)),
  )
  const others = [...projects, ...memory.files.map(({ location }) => location)]
  return readClientFiles([...here, ...others.filter((location) => isAsked(args, location))])
}

function listProjects({ servers }: Location, root: Parameters<typeof listServers>[0]): string[] {
  if (!servers.some(([first]) => first === 'projects')) return []
  return listServers(root, [['projects']])
    .map(({ name }) => name)
    .filter((name) => isAbsolute(name))
    .slice(0, projectsMax)
}

export function judgeAll(
  args: InstallArguments,
  world: World,
  { files, upstreams }: { files: ClientFiles; upstreams: GatewayUpstreams },
): ServerFinding[] {
  const selects = selectsFor(args)
  const configured = files.readable.flatMap(({ location, document }) =>
    listServers(document.root, location.servers)
      .filter((server) => selects(location, server))
      .map((server) => judgeOne(location, server, upstreams)),
  )
  return [...configured, ...extensionFindings(args, world)]
}

function judgeOne(location: Location, server: Server, upstreams: GatewayUpstreams): ServerFinding {
  const surroundings = { gatewayOrigin: upstreams.origin, wantsOAuth: new Map<string, boolean>() }
  const { transport, verdict } = judgeServer(server, surroundings)
  const planned = toPlanned(server, transport, verdict)
  const found = (state: ServerFinding['state'], reason: string, text: string) => ({
    location,
    server: planned,
    state,
    reason,
    text,
  })
  if (verdict.state === 'left') return found('uncovered', verdict.reason, leftReasons[verdict.reason])
  if (verdict.state !== 'covered' && location.scope === 'managed')
    return found('uncovered', 'managed', leftReasons.managed)
  if (verdict.state !== 'covered')
    return found(
      'uncovered',
      'not_installed',
      `${clientTitles[location.client]} ${transport === 'stdio' ? 'starts it itself' : 'calls it itself'}`,
    )
  if (verdict.by === 'run') return judgeRun(server, found)
  const upstream = readRedirected(server.member.value, upstreams.origin)?.upstream ?? ''
  return upstreams.urlOf(upstream) === undefined
    ? found('broken', 'no_upstream', 'the gateway has no upstream of its name')
    : found('covered', 'gateway', 'goes through the gateway')
}

/** Whether the program and the script that the client is to start are still there. */
function judgeRun(
  server: Server,
  found: (state: ServerFinding['state'], reason: string, text: string) => ServerFinding,
): ServerFinding {
  const words = commandLineOf(server.member.value) ?? []
  const at = findWrapped(words)?.at ?? 0
  const gone = words
    .slice(0, Math.max(0, at - 1))
    .find((word, i) => isAbsolute(word) && words[i - 1] !== '--home' && !existsSync(word))
  return gone === undefined
    ? found('covered', 'run', 'runs under affidavit')
    : found('broken', 'program_gone', `it is started with ${gone}, which is gone`)
}

/** Claude Desktop starts the servers of its extensions from inside their folders. */
function extensionFindings(args: InstallArguments, world: World): ServerFinding[] {
  if (!isAsked(args, { client: 'claude-desktop' }) || args.project !== undefined) return []
  return extensionFolders(toMachine(world)).flatMap((folder) =>
    listManifests(folder)
      .filter((name) => args.servers.length === 0 || args.servers.includes(name))
      .map(
        (name): ServerFinding => ({
          location: { client: 'claude-desktop', scope: 'user', path: join(folder, name, 'manifest.json'), servers: [] },
          server: { name, path: [name], transport: 'stdio' },
          state: 'uncovered',
          reason: 'extension',
          text: 'an extension: Claude Desktop starts its server from its folder',
        }),
      ),
  )
}

function listManifests(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'manifest.json')))
}

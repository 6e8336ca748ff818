import { readdirSync, realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type ConfigDocument, isUnparsable, parseDocument, type Unparsable } from '../install/document.ts'
import { type Location, type Machine, projectLocations, userLocations } from '../install/locations.ts'
import type { Selects } from '../install/planned.ts'
import { listServers } from '../install/servers.ts'
import type { InstallArguments } from './install-options.ts'
import type { World } from './world.ts'

/** Clients' files as they are on this machine. */
export interface ClientFiles {
  readable: { location: Location; document: ConfigDocument }[]
  /** Left alone: what stands in them is not known. */
  unreadable: ({ location: Location } & Unparsable)[]
}

/** Such a file is no configuration. */
const bytesMax = 64 * 1024 * 1024

/** Looks into every location that exists; a file that several of them lead to counts once. Files without servers are left out. */
export async function readClientFiles(locations: readonly Location[]): Promise<ClientFiles> {
  const files: ClientFiles = { readable: [], unreadable: [] }
  const seen = new Set<string>()
  for (const location of locations) {
    const read = await readLocation(location)
    if (read === undefined) continue
    const place = `${realpathSync(location.path)}\0${JSON.stringify(location.servers)}`
    if (seen.has(place)) continue
    seen.add(place)
    if (isUnparsable(read)) files.unreadable.push({ location, ...read })
    else if (listServers(read.root, location.servers).length > 0) files.readable.push({ location, document: read })
  }
  return files
}

async function readLocation({ path, servers }: Location): Promise<ConfigDocument | Unparsable | undefined> {
  try {
    const { size } = statSync(path)
    if (size > bytesMax) return { reason: 'it is larger than 64 MiB' }
    const bytes = await readFile(path)
    const parsed = parseDocument(bytes)
    // Editors' settings may be damaged in many places that have nothing to do with servers.
    const isOther = servers.some(([first]) => first === 'mcp') && !bytes.includes('"mcp')
    return isUnparsable(parsed) && isOther ? undefined : parsed
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    if (code === undefined) throw error
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : { reason: `it cannot be read (${code})` }
  }
}

export function toMachine({ platform, userFolder, env }: World): Machine {
  return { platform, home: userFolder, env, listFolders }
}

function listFolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return []
    throw error
  }
}

/** The user's files and those of the project at hand; with --project that one alone. */
export function locationsFor(args: InstallArguments, world: World): Location[] {
  const machine = toMachine(world)
  const user = userLocations(machine)
  const project = projectLocations(machine, args.project ?? world.folder)
  const shown = args.project === undefined ? [...user, ...project] : [...user.filter(holdsProjects), ...project]
  return shown.filter((location) => isAsked(args, location))
}

/** Whether --client, where it was given, names the client of a location. */
export function isAsked({ clients }: InstallArguments, { client }: Pick<Location, 'client'>): boolean {
  return clients.length === 0 || clients.includes(client)
}

function holdsProjects({ servers }: Location): boolean {
  return servers.some(([first]) => first === 'projects')
}

/** Whether a server was asked for by --client, --server and --project. */
export function selectsFor(args: InstallArguments): Selects {
  return (location, { name, project }) => {
    const isClient = isAsked(args, location)
    const isServer = args.servers.length === 0 || args.servers.includes(name)
    const isProject = args.project === undefined || location.scope === 'project' || isSameFolder(project, args.project)
    return isClient && isServer && isProject
  }
}

/** Claude Code writes slashes on Windows too. */
function isSameFolder(one: string | undefined, other: string): boolean {
  const plain = (path: string) => path.replaceAll('\\', '/').replace(/\/$/, '')
  return one !== undefined && plain(one) === plain(other)
}

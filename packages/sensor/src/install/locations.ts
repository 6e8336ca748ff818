import { posix, win32 } from 'node:path'

/** Where the four clients keep their MCP servers; sources are their documentation and, for VS Code, its source code. */

export const clients = ['claude-desktop', 'claude-code', 'cursor', 'vscode'] as const
export type Client = (typeof clients)[number]

export const clientTitles: Readonly<Record<Client, string>> = {
  'claude-desktop': 'Claude Desktop',
  'claude-code': 'Claude Code',
  cursor: 'Cursor',
  vscode: 'VS Code',
}

/** Members that lead from the root of a file to its servers; `*` is any name. */
export type ServersPath = readonly string[]

/** A file that a client reads. It need not exist. */
export interface Location {
  client: Client
  /** `project`: shared by whoever works on the project. `managed`: belongs to an administrator and is not changed. */
  scope: 'user' | 'project' | 'managed'
  path: string
  servers: readonly ServersPath[]
}

/** What the places depend on. */
export interface Machine {
  platform: NodeJS.Platform
  /** The user's folder, absolute. */
  home: string
  env: Readonly<Record<string, string | undefined>>
  /** Names of the folders in a folder; empty where there is none. */
  listFolders(path: string): readonly string[]
}

const mcpServers: readonly ServersPath[] = [['mcpServers']]
const claudeCodeUser: readonly ServersPath[] = [['mcpServers'], ['projects', '*', 'mcpServers']]
const codeServers: readonly ServersPath[] = [['servers']]
const codeSettings: readonly ServersPath[] = [['mcp', 'servers'], ['mcp.servers']]

/** Files of the user and of the machine, whatever the project. */
export function userLocations(machine: Machine): Location[] {
  return [...claudeDesktop(machine), ...claudeCode(machine), ...cursor(machine), ...codeUser(machine)]
}

/** Files in a project's folder. */
export function projectLocations(machine: Machine, folder: string): Location[] {
  const { join } = pathsOf(machine)
  const at = (client: Client, servers: readonly ServersPath[], ...parts: string[]): Location => ({
    client,
    scope: 'project',
    path: join(folder, ...parts),
    servers,
  })
  return [
    at('claude-code', mcpServers, '.mcp.json'),
    at('cursor', mcpServers, '.cursor', 'mcp.json'),
    at('vscode', codeServers, '.vscode', 'mcp.json'),
    at('vscode', codeSettings, '.vscode', 'settings.json'),
  ]
}

/** Folders in which Claude Desktop keeps extensions, each with a server of its own. */
export function extensionFolders(machine: Machine): string[] {
  const { join } = pathsOf(machine)
  return claudeDesktopFolders(machine).map((folder) => join(folder, 'Claude Extensions'))
}

function claudeDesktop(machine: Machine): Location[] {
  const { join } = pathsOf(machine)
  return claudeDesktopFolders(machine).map((folder) => ({
    client: 'claude-desktop',
    scope: 'user',
    path: join(folder, 'claude_desktop_config.json'),
    servers: mcpServers,
  }))
}

/** A packaged app on Windows reads a copy of AppData that belongs to it alone; an unpackaged one the folder itself. */
function claudeDesktopFolders(machine: Machine): string[] {
  const { join } = pathsOf(machine)
  const plain = join(appFolder(machine), 'Claude')
  if (machine.platform !== 'win32') return [plain]
  const packages = join(localAppFolder(machine), 'Packages')
  const packaged = machine
    .listFolders(packages)
    .filter((name) => name.startsWith('Claude_'))
    .map((name) => join(packages, name, 'LocalCache', 'Roaming', 'Claude'))
  return [plain, ...packaged]
}

function claudeCode(machine: Machine): Location[] {
  const { join } = pathsOf(machine)
  const folder = machine.env.CLAUDE_CONFIG_DIR
  const user = join(folder === undefined || folder === '' ? machine.home : folder, '.claude.json')
  return [
    { client: 'claude-code', scope: 'user', path: user, servers: claudeCodeUser },
    { client: 'claude-code', scope: 'managed', path: managedPath(machine), servers: mcpServers },
  ]
}

function managedPath({ platform, env }: Machine): string {
  if (platform === 'win32') return win32.join(env.ProgramFiles ?? 'C:\\Program Files', 'ClaudeCode', 'managed-mcp.json')
  return platform === 'darwin'
    ? '/Library/Application Support/ClaudeCode/managed-mcp.json'
    : '/etc/claude-code/managed-mcp.json'
}

function cursor(machine: Machine): Location[] {
  const path = pathsOf(machine).join(machine.home, '.cursor', 'mcp.json')
  return [{ client: 'cursor', scope: 'user', path, servers: mcpServers }]
}

/** mcp.json and, for older versions, settings.json: of the default profile, of every other one, and of remote windows. */
function codeUser(machine: Machine): Location[] {
  const { join } = pathsOf(machine)
  const local = ['Code', 'Code - Insiders'].map((name) => join(appFolder(machine), name, 'User'))
  const remote = ['.vscode-server', '.vscode-server-insiders'].map((name) => join(machine.home, name, 'data', 'User'))
  return [...local, ...remote].flatMap((user) => {
    const profiles = join(user, 'profiles')
    const folders = [user, ...machine.listFolders(profiles).map((id) => join(profiles, id))]
    return folders.flatMap((folder): Location[] => [
      { client: 'vscode', scope: 'user', path: join(folder, 'mcp.json'), servers: codeServers },
      { client: 'vscode', scope: 'user', path: join(folder, 'settings.json'), servers: codeSettings },
    ])
  })
}

/** Where apps keep their files: XDG, Application Support or AppData\Roaming. */
function appFolder(machine: Machine): string {
  const { join } = pathsOf(machine)
  const { platform, home, env } = machine
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  const named = platform === 'win32' ? env.APPDATA : env.XDG_CONFIG_HOME
  if (named !== undefined && pathsOf(machine).isAbsolute(named)) return named
  return platform === 'win32' ? join(home, 'AppData', 'Roaming') : join(home, '.config')
}

function localAppFolder(machine: Machine): string {
  const named = machine.env.LOCALAPPDATA
  return named === undefined || named === '' ? win32.join(machine.home, 'AppData', 'Local') : named
}

function pathsOf({ platform }: Machine): typeof posix {
  return platform === 'win32' ? win32 : posix
}

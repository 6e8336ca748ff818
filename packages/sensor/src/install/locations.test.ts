import { describe, expect, it } from 'vitest'
import { extensionFolders, type Machine, projectLocations, userLocations } from './locations.ts'

const machine = (platform: NodeJS.Platform, home: string, more: Partial<Machine> = {}): Machine => ({
  platform,
  home,
  env: {},
  listFolders: () => [],
  ...more,
})
const paths = (on: Machine) => userLocations(on).map(({ client, path }) => `${client} ${path}`)

describe('where clients keep their servers', () => {
  it('on Linux [IN-1]', () => {
    const listFolders = (path: string) => (path === '/users/u/.config/Code/User/profiles' ? ['-1a2b'] : [])
    expect(paths(machine('linux', '/users/u', { listFolders }))).toEqual([
      'claude-desktop /users/u/.config/Claude/claude_desktop_config.json',
      'claude-code /users/u/.claude.json',
      'claude-code /etc/claude-code/managed-mcp.json',
      'cursor /users/u/.cursor/mcp.json',
      'vscode /users/u/.config/Code/User/mcp.json',
      'vscode /users/u/.config/Code/User/settings.json',
      'vscode /users/u/.config/Code/User/profiles/-1a2b/mcp.json',
      'vscode /users/u/.config/Code/User/profiles/-1a2b/settings.json',
      'vscode /users/u/.config/Code - Insiders/User/mcp.json',
      'vscode /users/u/.config/Code - Insiders/User/settings.json',
      'vscode /users/u/.vscode-server/data/User/mcp.json',
      'vscode /users/u/.vscode-server/data/User/settings.json',
      'vscode /users/u/.vscode-server-insiders/data/User/mcp.json',
      'vscode /users/u/.vscode-server-insiders/data/User/settings.json',
    ])
    const moved = paths(machine('linux', '/users/u', { env: { XDG_CONFIG_HOME: '/x', CLAUDE_CONFIG_DIR: '/c' } }))
    expect(moved).toContain('claude-desktop /x/Claude/claude_desktop_config.json')
    expect(moved).toContain('vscode /x/Code/User/mcp.json')
    expect(moved).toContain('claude-code /c/.claude.json')
    // The XDG specification has relative paths ignored.
    expect(paths(machine('linux', '/users/u', { env: { XDG_CONFIG_HOME: 'x' } }))).toContain(
      'vscode /users/u/.config/Code/User/mcp.json',
    )
  })

  it('on macOS [IN-1]', () => {
    expect(paths(machine('darwin', '/Users/u'))).toEqual(
      expect.arrayContaining([
        'claude-desktop /Users/u/Library/Application Support/Claude/claude_desktop_config.json',
        'claude-code /Users/u/.claude.json',
        'claude-code /Library/Application Support/ClaudeCode/managed-mcp.json',
        'cursor /Users/u/.cursor/mcp.json',
        'vscode /Users/u/Library/Application Support/Code/User/mcp.json',
        'vscode /Users/u/Library/Application Support/Code - Insiders/User/mcp.json',
      ]),
    )
    expect(extensionFolders(machine('darwin', '/Users/u'))).toEqual([
      '/Users/u/Library/Application Support/Claude/Claude Extensions',
    ])
  })

  it('on Windows, also of a packaged app, which reads a copy of AppData of its own [IN-1]', () => {
    const home = 'C:\\Users\\u'
    const env = { APPDATA: 'D:\\Roaming', LOCALAPPDATA: 'D:\\Local', ProgramFiles: 'E:\\Programs' }
    const listFolders = (path: string) => (path === 'D:\\Local\\Packages' ? ['Claude_abc', 'Other_1'] : [])
    expect(paths(machine('win32', home, { env, listFolders }))).toEqual(
      expect.arrayContaining([
        'claude-desktop D:\\Roaming\\Claude\\claude_desktop_config.json',
        'claude-desktop D:\\Local\\Packages\\Claude_abc\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json',
        'claude-code C:\\Users\\u\\.claude.json',
        'claude-code E:\\Programs\\ClaudeCode\\managed-mcp.json',
        'cursor C:\\Users\\u\\.cursor\\mcp.json',
        'vscode D:\\Roaming\\Code\\User\\mcp.json',
      ]),
    )
    expect(paths(machine('win32', home))).toContain('vscode C:\\Users\\u\\AppData\\Roaming\\Code\\User\\mcp.json')
    expect(paths(machine('win32', home)).filter((path) => path.startsWith('claude-desktop'))).toHaveLength(1)
  })

  it('in a project [IN-1]', () => {
    const shown = (on: Machine, folder: string) =>
      projectLocations(on, folder).map(({ client, path }) => `${client} ${path}`)
    expect(shown(machine('linux', '/users/u'), '/p')).toEqual([
      'claude-code /p/.mcp.json',
      'cursor /p/.cursor/mcp.json',
      'vscode /p/.vscode/mcp.json',
      'vscode /p/.vscode/settings.json',
    ])
    expect(shown(machine('win32', 'C:\\u'), 'C:\\p')[2]).toBe('vscode C:\\p\\.vscode\\mcp.json')
  })
})

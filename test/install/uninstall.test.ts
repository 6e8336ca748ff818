import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createUser, rowsOf, type User, writeClients } from './machine.ts'

function installed(prepare: (user: User) => void = () => undefined): { user: User; before: Record<string, string> } {
  const user = createUser()
  writeClients(user)
  prepare(user)
  const before = user.files()
  expect(user.run('install', '--yes').code).toBe(0)
  expect(user.files()).not.toEqual(before)
  return { user, before }
}

describe('affidavit uninstall', () => {
  it('gives back every byte, and leaves no copy behind [IN-5]', () => {
    const { user, before } = installed()
    const done = user.run('uninstall', '--yes')
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toContain('Took affidavit out of 12 servers in 7 files.')
    expect(user.files()).toEqual(before)
    expect(readdirSync(join(user.home, 'install/copies'))).toEqual([])
    expect(existsSync(join(user.home, 'affidavit.yaml'))).toBe(false)
    expect(user.run('uninstall', '--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do') })
  })

  it('gives back every byte of the gateway’s configuration [IN-5]', () => {
    const yaml = '# mine\nlisten:   127.0.0.1:7400   # odd\nupstreams: { crm: {url: "https://crm.example/mcp"} }\n'
    const { user, before } = installed((fresh) => {
      mkdirSync(fresh.home, { recursive: true })
      writeFileSync(join(fresh.home, 'affidavit.yaml'), yaml)
    })
    expect(user.read('dotfiles/cursor.json')).toContain('http://127.0.0.1:7400/mcp/local-api')
    expect(readFileSync(join(user.home, 'affidavit.yaml'), 'utf8')).toContain('# mine')
    expect(user.run('uninstall', '--yes').code).toBe(0)
    expect(user.files()).toEqual(before)
    expect(readFileSync(join(user.home, 'affidavit.yaml'), 'utf8')).toBe(yaml)
  })

  it('in two steps, and after two installs, gives back every byte [IN-5]', () => {
    const { user, before } = installed()
    expect(user.run('uninstall', '--yes', '--client', 'cursor').code).toBe(0)
    expect(user.read('dotfiles/cursor.json')).toBe(
      Buffer.from(before['dotfiles/cursor.json'] ?? '', 'latin1').toString(),
    )
    const yaml = readFileSync(join(user.home, 'affidavit.yaml'), 'utf8')
    expect(yaml).toContain('github')
    expect(yaml).not.toContain('local-api')
    expect(user.run('install', '--yes').code).toBe(0)
    expect(user.run('uninstall', '--yes', '--server', 'github').code).toBe(0)
    expect(user.run('uninstall', '--yes').code).toBe(0)
    expect(user.files()).toEqual(before)
  })

  it('keeps what was edited since, and says so [IN-6]', () => {
    const { user } = installed()
    const path = '.config/Claude/claude_desktop_config.json'
    user.write(path, user.read(path).replace('"globalShortcut": ""', '"globalShortcut": "Ctrl+Space", "theme": "dark"'))
    user.write('.config/Code/User/mcp.json', '{ "servers": {} }')
    const done = user.run('uninstall', '--yes')
    expect(done.code).toBe(0)
    expect(done.stdout).toContain(`~/${path} was edited since: only affidavit's entries are undone.`)
    expect(JSON.parse(user.read(path))).toMatchObject({
      globalShortcut: 'Ctrl+Space',
      theme: 'dark',
      mcpServers: {
        filesystem: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/docs'] },
      },
    })
    expect(user.read('.config/Code/User/mcp.json')).toBe('{ "servers": {} }')
  })

  it('a server that was pointed elsewhere since stays there [IN-6]', () => {
    const { user } = installed()
    user.write(
      '.claude.json',
      user.read('.claude.json').replace('http://127.0.0.1:7332/mcp/github', 'https://elsewhere.example/mcp'),
    )
    expect(user.run('uninstall', '--yes').code).toBe(0)
    expect(user.read('.claude.json')).toContain('"url": "https://elsewhere.example/mcp"')
  })

  it('works without a memory; a URL that nobody knows any more is left, and named [IN-6]', () => {
    const { user, before } = installed()
    rmSync(join(user.home, 'install'), { recursive: true })
    const done = user.run('uninstall', '--yes')
    expect(done.code).toBe(0)
    for (const name of ['dotfiles/cursor.json', '.claude.json', 'work/app/.vscode/mcp.json'])
      expect(user.files()[name]).toBe(before[name])
    user.run('install', '--yes', '--client', 'cursor')
    rmSync(user.home, { recursive: true })
    const left = user.run('uninstall', '--yes')
    expect(left.code).toBe(2)
    expect(left.stdout).toMatch(/local-api +leave +the URL it had is recorded nowhere/)
    expect(user.read('dotfiles/cursor.json')).toContain('"command": "uvx"')
  })

  it('undoes what was installed in another project, wherever it is called from [IN-16]', () => {
    const { user, before } = installed()
    user.write('other/keep', '')
    const away = { ...user, project: join(user.folder, 'other') }
    const rows = rowsOf(away.run('uninstall', '--dry-run', '--json'))
    expect(rows.everything).toMatchObject({
      state: 'unwrap',
      file: join(user.folder, 'work/app/.vscode/mcp.json'),
      applied: false,
    })
    expect(user.run('uninstall', '--yes', '--project', user.project).code).toBe(0)
    expect(user.read('work/app/.vscode/mcp.json')).toBe(before['work/app/.vscode/mcp.json'])
    expect(user.read('.config/Claude/claude_desktop_config.json')).toContain('"run"')
  })

  it('names a damaged memory and how to go on without it [IN-6]', () => {
    const { user } = installed()
    writeFileSync(join(user.home, 'install/state.json'), '{"v":1,"files":7}')
    expect(user.run('uninstall', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/state\.json is damaged\. Move it away.*\[AFD_CONFIG_INVALID\]\n$/),
    })
  })
})

import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { binary, createUser, type Finished, rowsOf, runAside, secrets, type User, writeClients } from './machine.ts'

const clean = ({ stdout, stderr }: Finished) =>
  expect(secrets.filter((secret) => (stdout + stderr).includes(secret))).toEqual([])

function prepared(): User {
  const user = createUser()
  writeClients(user)
  return user
}

describe('affidavit install', () => {
  it('shows what it would change, and with --dry-run changes nothing [IN-9] [IN-7]', () => {
    const user = prepared()
    const before = user.files()
    const dry = user.run('install', '--dry-run')
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(dry.stdout).toContain(
      '--- ~/.config/Claude/claude_desktop_config.json\n+++ ~/.config/Claude/claude_desktop_config.json\n@@ -3,4 +3,4 @@ filesystem\n',
    )
    expect(dry.stdout).toContain('\n-      "command": "npx",\n')
    expect(dry.stdout).toMatch(
      /\n\+ {6}"args": \[".*affidavit\.js", "run", "--server", "filesystem", "--", "npx", "-y",/,
    )
    expect(dry.stdout).toMatch(/notion +leave +it may sign in with OAuth/)
    expect(dry.stdout).toMatch(/asana +leave +it speaks the older HTTP\+SSE transport/)
    expect(dry.stdout).toMatch(/boxed +leave +it runs in a sandbox/)
    expect(dry.stdout).toMatch(/everything +wrap .*\n +! This file belongs to the project/)
    expect(dry.stdout).toMatch(/Dry run: nothing was changed\.\n$/)
    expect(user.files()).toEqual(before)
    expect(existsSync(user.home)).toBe(false)
  })

  it('changes nothing where nobody can be asked [IN-9]', () => {
    const user = prepared()
    const before = user.files()
    for (const verb of [['install'], ['install', '--json']]) {
      const refused = user.run(...verb)
      expect(refused.code).toBe(2)
      expect(refused.stderr).toMatch(/^affidavit: nothing was changed, .*--yes.*--dry-run.*\[AFD_NOT_CONFIRMED\]\n$/)
    }
    expect(user.files()).toEqual(before)
  })

  it('wraps every local server, and nothing of a file changes but its values [IN-2] [IN-3]', () => {
    const user = prepared()
    chmodSync(join(user.folder, 'dotfiles/cursor.json'), 0o640)
    const done = user.run('install', '--yes')
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toContain('Changed 12 servers in 7 files. Restart Claude Desktop, Claude Code, Cursor, VS Code')
    const claude = JSON.parse(user.read('.config/Claude/claude_desktop_config.json'))
    expect(claude.mcpServers.postgres).toEqual({
      command: process.execPath,
      args: [
        binary,
        'run',
        '--server',
        'postgres',
        '--',
        'uvx',
        'postgres-mcp',
        'postgresql://app:hunter2secret@db.internal/prod',
        '--access-mode=unrestricted',
      ],
      env: { PGPASSWORD: 'hunter2secret', LOG_LEVEL: 'env-value-7' },
    })
    expect(claude.mcpServers.notes.disabled).toBe(true)
    const code = JSON.parse(user.read('.config/Code/User/mcp.json'))
    expect(code.servers.perplexity).toMatchObject({
      type: 'stdio',
      envFile: expect.stringMatching(/^\$\{workspaceFolder\}\/\.env$/),
      cwd: '/w',
    })
    expect(code.servers.bare.args.slice(-2)).toEqual(['--', 'mcp-time'])
    const cursor = user.read('dotfiles/cursor.json')
    expect(cursor).toContain(
      `"command": ${JSON.stringify(process.execPath)}, // quick\n\t\t\t"args": [ ${JSON.stringify(binary)}, "run",`,
    )
    expect(lstatSync(join(user.folder, '.cursor/mcp.json')).isSymbolicLink()).toBe(true)
    expect(statSync(join(user.folder, 'dotfiles/cursor.json')).mode & 0o777).toBe(0o640)
    const claudeCode = user.read('.claude.json')
    expect(claudeCode.startsWith('\uFEFF{\r\n')).toBe(true)
    expect(claudeCode.replaceAll('\r\n', '')).not.toContain('\n')
  })

  it('a second install finds nothing to do and changes no byte [IN-4]', () => {
    const user = prepared()
    user.run('install', '--yes')
    const once = user.files()
    const again = user.run('install', '--yes')
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toMatch(/\nNothing to do: 12 servers are covered, 4 left as they are\.\n$/)
    expect(user.files()).toEqual(once)
  })

  it('points HTTP servers without OAuth at the gateway, which learns where they are [IN-7]', () => {
    const user = prepared()
    user.run('install', '--yes')
    const { mcpServers } = JSON.parse(user.read('.claude.json').slice(1))
    expect(mcpServers.github).toEqual({
      type: 'http',
      url: 'http://127.0.0.1:7332/mcp/github',
      headers: { Authorization: 'Bearer ghp_abcdefghijklmnopqrstuvwxyz0123456789' },
    })
    expect(mcpServers.notion.url).toBe('https://mcp.notion.example/mcp')
    expect(user.read('dotfiles/cursor.json')).toContain('"http://127.0.0.1:7332/mcp/local-api?key=query-key-9"')
    const yaml = readFileSync(join(user.home, 'affidavit.yaml'), 'utf8')
    expect(yaml).toContain(
      'listen: 127.0.0.1:7332\nupstreams:\n  github:\n    url: https://api.github.example/mcp/\n    host: upstream\n',
    )
    expect(yaml).toContain('  local-api:\n    url: http://localhost:8080/mcp\n    host: upstream\n')
  })

  it('prints no secret, whatever it prints [IN-8]', () => {
    const user = prepared()
    clean(user.run('install', '--dry-run'))
    clean(user.run('install', '--dry-run', '--json'))
    clean(user.run('doctor'))
    clean(user.run('doctor', '--plan'))
    clean(user.run('doctor', '--json'))
    clean(user.run('install', '--yes'))
    clean(user.run('uninstall', '--dry-run'))
    clean(user.run('uninstall', '--yes', '--json'))
    clean(user.run('install', '--command', 'x ghp_abcdefghijklmnopqrstuvwxyz0123456789'))
  })

  it('keeps copies and its memory to itself [IN-8]', () => {
    const user = prepared()
    user.run('install', '--yes')
    const folder = join(user.home, 'install')
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.startsWith('copies/'))).toHaveLength(7)
    for (const name of ['', ...names]) {
      const { mode } = statSync(join(folder, name))
      expect(mode & 0o077).toBe(0)
    }
  })

  it('leaves a damaged file alone, with line and reason, and changes the others [IN-10]', () => {
    const user = prepared()
    user.write('.config/Code/User/mcp.json', '{\n  "servers": {\n    "a": { "command": "npx" "args": [] }\n  }\n}\n')
    const done = user.run('install', '--yes')
    expect(done.code).toBe(2)
    expect(done.stdout).toContain(
      '! VS Code: ~/.config/Code/User/mcp.json, line 3: a comma is missing. The file is left alone.',
    )
    expect(done.stdout).toContain('Changed 10 servers in 6 files.')
    const rows = rowsOf(user.run('install', '--dry-run', '--json'))
    expect(rows[join(user.folder, '.config/Code/User/mcp.json')]).toMatchObject({ state: 'unreadable', line: 3 })
  })

  it('changes no client where it could not remember what it changed [IN-10]', () => {
    const user = prepared()
    const memory = join(user.home, 'install')
    mkdirSync(user.home, { recursive: true })
    writeFileSync(memory, 'in the way')
    const before = user.files()
    const failed = user.run('install', '--yes')
    expect(failed.code).toBe(2)
    expect(failed.stderr).toMatch(/\[AFD_[A-Z_]+\]\n$/)
    expect(user.files()).toEqual(before)
  })

  it('takes one client, one server, one project [IN-16]', () => {
    const user = prepared()
    expect(Object.keys(rowsOf(user.run('install', '--dry-run', '--json', '--client', 'cursor'))).sort()).toEqual([
      'fetch',
      'linear',
      'local-api',
    ])
    expect(
      Object.keys(rowsOf(user.run('install', '--dry-run', '--json', '--server', 'db', '--server', 'notes'))).sort(),
    ).toEqual(['db', 'notes'])
    expect(Object.keys(rowsOf(user.run('install', '--dry-run', '--json', '--project', '.'))).sort()).toEqual([
      'db',
      'everything',
      'shared',
    ])
    user.run('install', '--yes', '--client', 'claude-code', '--server', 'db')
    const rows = rowsOf(user.run('install', '--dry-run', '--json'))
    expect(
      Object.values(rows)
        .filter(({ state }) => state === 'covered')
        .map(({ server }) => server),
    ).toEqual(['db'])
    for (const wrong of [['--client', 'emacs'], ['--project', 'none'], ['--probe=x'], ['--plan'], ['extra']])
      expect(user.run('install', ...wrong)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/\[AFD_USAGE\]\n$/),
      })
  })

  it('writes another home folder into the commands, for clients do not see the shell’s environment [IN-11]', () => {
    const user = prepared()
    user.run('install', '--yes', '--client', 'claude-desktop', '--home', join(user.folder, 'elsewhere'))
    const { mcpServers } = JSON.parse(user.read('.config/Claude/claude_desktop_config.json'))
    expect(mcpServers.filesystem.args.slice(1, 4)).toEqual(['run', '--home', join(user.folder, 'elsewhere')])
    expect(user.run('uninstall', '--yes', '--home', join(user.folder, 'elsewhere')).code).toBe(0)
  })

  it('finds nothing on a machine without clients, and says so [IN-9]', () => {
    expect(createUser().run('install')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no MCP servers found'),
    })
  })
})

describe('--probe', () => {
  it('asks servers without a credential whether they want OAuth; without it no server is asked [IN-15]', async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'bare'}`)
      if (request.url === '/open/mcp') response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      else if (request.url === '/closed/mcp') response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
      else if (request.url === '/.well-known/oauth-protected-resource/listed/mcp')
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"resource":"x"}')
      else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    onTestFinished(() => void server.close())
    // Neither a loopback address nor a name: as good as a server elsewhere, without leaving this machine.
    const { port } = server.address() as AddressInfo
    const url = (path: string) => ({ url: `http://0.0.0.0:${port}${path}` })
    const user = createUser()
    user.write(
      '.cursor/mcp.json',
      JSON.stringify({
        mcpServers: {
          open: url('/open/mcp'),
          closed: url('/closed/mcp'),
          listed: url('/listed/mcp'),
          gone: { url: 'http://0.0.0.0:9/mcp' },
        },
      }),
    )
    const reasons = (finished: Finished) =>
      Object.entries(rowsOf(finished)).map(([name, { state, reason }]) => `${name} ${reason ?? state}`)
    expect(reasons(await runAside(user, ['install', '--dry-run', '--json']))).toEqual([
      'open maybe_oauth',
      'closed maybe_oauth',
      'listed maybe_oauth',
      'gone maybe_oauth',
    ])
    expect(asked).toEqual([])
    expect(reasons(await runAside(user, ['install', '--dry-run', '--json', '--probe']))).toEqual([
      'open redirect',
      'closed oauth',
      'listed oauth',
      'gone maybe_oauth',
    ])
    expect(asked).toContain('POST /open/mcp bare')
    expect(asked.every((line) => line.endsWith(' bare'))).toBe(true)
  })
})

/** A pseudo terminal from util-linux, which most Linux machines have. */
const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path))
const onLinux = process.platform === 'linux' && script !== undefined
if (!onLinux) console.warn('SKIPPED: no script(1) of util-linux here; the question on a terminal was not tested')

describe.runIf(onLinux)('on a terminal', () => {
  /** Runs it on a terminal; `answer` says what is typed once the question stands there, and may look around before. */
  function onTerminal(user: User, argv: string[], answer: () => string): Promise<Finished> {
    const command = [process.execPath, binary, ...argv].map((word) => `'${word}'`).join(' ')
    const child = spawn(script ?? '', ['-qec', command, '/dev/null'], {
      cwd: user.project,
      env: { ...user.env, TERM: 'dumb', COLUMNS: '100' },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const finished: Finished = { code: null, stdout: '', stderr: '' }
    let isAnswered = false
    child.stdout.on('data', (chunk) => {
      finished.stdout += chunk
      if (isAnswered || !finished.stdout.includes('[y/N]')) return
      isAnswered = true
      child.stdin.write(answer())
    })
    return new Promise((resolve) => child.on('close', (code) => resolve({ ...finished, code })))
  }

  it('asks, and takes no for an answer [IN-9]', async () => {
    const user = prepared()
    const before = user.files()
    const no = await onTerminal(user, ['install'], () => 'n\n')
    expect(no.code).toBe(1)
    expect(no.stdout).toContain('Change 12 servers in 7 files? [y/N]')
    expect(no.stdout).toContain('Nothing was changed.')
    // Ctrl-C.
    expect((await onTerminal(user, ['install'], () => '\u0003')).code).not.toBe(0)
    expect(user.files()).toEqual(before)
    const yes = await onTerminal(user, ['install'], () => 'y\n')
    expect(yes.code).toBe(0)
    expect(user.files()).not.toEqual(before)
  })

  it('a file that changes while the question stands there is left alone, the others change [IN-10]', async () => {
    const user = prepared()
    const theirs = '{"mcpServers":{"mine":{"command":"npx"}}}'
    const done = await onTerminal(user, ['install'], () => {
      user.write('.config/Claude/claude_desktop_config.json', theirs)
      return 'y\n'
    })
    expect(done.code).toBe(2)
    expect(done.stdout).toContain('another program changed it meanwhile')
    expect(done.stdout).toContain('Changed 9 servers in 6 files.')
    expect(user.read('.config/Claude/claude_desktop_config.json')).toBe(theirs)
    expect(user.run('uninstall', '--yes').code).toBe(0)
    expect(user.read('.config/Claude/claude_desktop_config.json')).toBe(theirs)
  })
})

import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenUntilEnd } from '../gateway/harness/serve.ts'
import { binary, createUser, type Finished, rowsOf, runAside, type User, writeClients } from './machine.ts'

function prepared(): User {
  const user = createUser()
  writeClients(user)
  return user
}

/** Other tests and users of this machine run servers too: what is found of them is not what is asked here. */
const withoutProcesses = ({ stdout }: Finished) => stdout.split('\n').filter((line) => !/^\{"id":"process:/.test(line))

describe('affidavit doctor', () => {
  it('lists every server of every client with the reason, and ends with 1 [IN-12]', () => {
    const user = prepared()
    const found = user.run('doctor', '--json')
    expect(found).toMatchObject({ code: 1, stderr: '' })
    const rows = rowsOf(found)
    expect(rows.filesystem).toMatchObject({
      client: 'claude-desktop',
      transport: 'stdio',
      state: 'uncovered',
      reason: 'not_installed',
    })
    expect(rows.db).toMatchObject({ client: 'claude-code', project: user.project, state: 'uncovered' })
    expect(rows.linear).toMatchObject({ client: 'cursor', transport: 'http', reason: 'oauth' })
    expect(rows.asana).toMatchObject({ transport: 'sse', reason: 'sse' })
    expect(rows.boxed).toMatchObject({ client: 'vscode', reason: 'sandboxed' })
    expect(rows.old).toMatchObject({ client: 'vscode', file: join(user.folder, '.config/Code/User/settings.json') })
    expect(rows['machine:home']).toMatchObject({ state: 'good' })
    expect(withoutProcesses(found).filter((line) => line.includes('"server"'))).toHaveLength(16)
    expect(user.run('doctor').stdout).toMatch(
      /\n0 of 16 servers are covered\. 'affidavit doctor --plan' says what to do first\.\n/,
    )
  })

  it('after an install calls covered what is covered, and nothing else [IN-12]', () => {
    const user = prepared()
    user.run('install', '--yes')
    const rows = rowsOf(user.run('doctor', '--json'))
    expect(rows.filesystem).toMatchObject({ state: 'covered', reason: 'run' })
    expect(rows.github).toMatchObject({ state: 'covered', reason: 'gateway' })
    expect(rows.notion).toMatchObject({ state: 'uncovered', reason: 'maybe_oauth' })
    expect(rows['machine:gateway']).toMatchObject({
      state: 'bad',
      text: expect.stringContaining('calls through it fail'),
    })
    expect(user.run('doctor').code).toBe(1)
  })

  it('names what a covered server lacks: its program, its upstream [IN-12]', () => {
    const user = prepared()
    user.run('install', '--yes')
    user.write(
      '.config/Claude/claude_desktop_config.json',
      user.read('.config/Claude/claude_desktop_config.json').replaceAll(process.execPath, '/gone/node'),
    )
    rmSync(join(user.home, 'affidavit.yaml'))
    const rows = rowsOf(user.run('doctor', '--json'))
    expect(rows.filesystem).toMatchObject({
      state: 'broken',
      reason: 'program_gone',
      text: expect.stringContaining('/gone/node'),
    })
    expect(rows.github).toMatchObject({ state: 'broken', reason: 'no_upstream' })
    const [first = ''] = user
      .run('doctor', '--plan', '--server', 'filesystem', '--client', 'claude-desktop')
      .stdout.split('\n')
    expect(first).toContain("Repair 'filesystem' of Claude Desktop")
  })

  it('does not say covered where a file cannot be read: exit code 2 [IN-12]', () => {
    const user = createUser()
    user.write('.cursor/mcp.json', '{ "mcpServers": {')
    const found = user.run('doctor')
    expect(found.code).toBe(2)
    expect(found.stdout).toContain('! Cursor: ~/.cursor/mcp.json, line 1: a } is missing.')
  })

  it('finds the projects that Claude Code knows, and extensions of Claude Desktop [IN-12]', () => {
    const user = createUser()
    const elsewhere = join(user.folder, 'elsewhere')
    user.write('elsewhere/.cursor/mcp.json', '{"mcpServers":{"far":{"command":"npx","args":["far"]}}}')
    user.write(
      '.claude.json',
      JSON.stringify({ projects: { [elsewhere]: {}, 'not/absolute': {} }, mcpServers: { near: { command: 'npx' } } }),
    )
    user.write('.config/Claude/Claude Extensions/local.mcpb.files/manifest.json', '{}')
    const rows = rowsOf(user.run('doctor', '--json'))
    expect(rows.far).toMatchObject({ client: 'cursor', state: 'uncovered' })
    expect(rows['local.mcpb.files']).toMatchObject({ client: 'claude-desktop', reason: 'extension' })
    expect(user.run('doctor', '--plan').stdout).toContain(
      `affidavit install --client cursor --server far --project ${elsewhere}`,
    )
    expect(
      Object.keys(rowsOf(user.run('doctor', '--json', '--server', 'near'))).filter(
        (id) => !/^(machine|process):/.test(id),
      ),
    ).toEqual(['near'])
  })

  it('judges the home folder, copies nobody needs, and a gateway that answers [IN-12]', async () => {
    const user = createUser()
    user.write('.cursor/mcp.json', '{"mcpServers":{"api":{"url":"http://localhost:1/mcp"}}}')
    const gateway = createServer((request, response) =>
      response.writeHead(request.url === '/healthz' ? 200 : 404).end(),
    )
    const port = await listenUntilEnd(gateway)
    mkdirSync(user.home, { recursive: true })
    writeFileSync(join(user.home, 'affidavit.yaml'), `listen: 127.0.0.1:${port}\n`)
    user.run('install', '--yes')
    mkdirSync(join(user.home, 'install/copies'), { recursive: true })
    writeFileSync(join(user.home, 'install/copies/0-old.json'), '')
    const rows = rowsOf(await runAside(user, ['doctor', '--json']))
    expect(rows.api).toMatchObject({ state: 'covered', reason: 'gateway' })
    expect(rows['machine:gateway']).toMatchObject({ state: 'good', text: expect.stringContaining('answers at') })
    expect(rows['machine:copies']).toMatchObject({
      state: 'note',
      text: expect.stringMatching(/^1 of 3 .* may hold secrets/),
    })
    // Once the file no longer calls affidavit, the copies of what it was are of no use.
    user.write('.cursor/mcp.json', '{"mcpServers":{}}')
    expect(rowsOf(user.run('doctor', '--json'))['machine:copies']).toMatchObject({
      text: expect.stringMatching(/^2 of 3 /),
    })
    chmodSync(user.home, 0o755)
    expect(rowsOf(user.run('doctor', '--json'))['machine:home']).toMatchObject({ state: 'note' })
    expect(
      rowsOf(user.run('doctor', '--json', '--home', join(user.folder, '.cursor/mcp.json')))['machine:home'],
    ).toMatchObject({ state: 'bad' })
    expect(readdirSync(user.home)).not.toContain('home.json')
  })
})

describe('the plan', () => {
  it('begins with what fails, then with what can do most, and gives the command for each [IN-14]', () => {
    const user = createUser()
    const entry = (...args: string[]) => ({ command: 'npx', args: ['-y', ...args] })
    user.write(
      '.cursor/mcp.json',
      JSON.stringify({
        mcpServers: {
          zzz: entry('zzz'),
          'a b': entry('clock'),
          shell: entry('mcp-shell'),
          files: entry('@modelcontextprotocol/server-filesystem'),
          far: { url: 'https://far.example/mcp', headers: { Authorization: 'x' } },
        },
      }),
    )
    const order = (...argv: string[]) =>
      [...user.run('doctor', '--plan', ...argv).stdout.matchAll(/^ *\d+\. (.*)$/gm)].map(([, text]) => text)
    expect(order().slice(0, 5)).toEqual([
      expect.stringContaining("Cover 'shell' of Cursor: it can run commands"),
      expect.stringContaining("Cover 'files' of Cursor: it can write files"),
      expect.stringContaining("Cover 'far' of Cursor: it is elsewhere"),
      expect.stringContaining("Cover 'zzz' of Cursor: its name does not tell"),
      expect.stringContaining("Cover 'a b' of Cursor: its name does not tell"),
    ])
    const plan = user.run('doctor', '--plan').stdout
    expect(plan).toContain("affidavit install --client cursor --server 'a b'\n")
    expect(plan).toMatch(/Steps 1, 2, 3, 4, 5 at once:\n +affidavit install\n/)
    user.run('install', '--yes', '--server', 'far')
    expect(order()[0]).toContain('Gateway: does not answer at 127.0.0.1:7332')
    const steps = user
      .run('doctor', '--plan', '--json')
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(steps[0]).toEqual({ id: 'step:1', text: expect.stringContaining('Gateway'), command: 'affidavit up' })
  })
})

const isLinux = process.platform === 'linux'
if (!isLinux) console.warn('SKIPPED: running processes are found on Linux only')

describe.runIf(isLinux)('running processes', () => {
  it('one that looks like a server is found outside affidavit, and not under it [IN-13]', async () => {
    const user = createUser()
    const server = join(user.folder, 'mcp-server-clock.mjs')
    writeFileSync(server, 'process.stdin.resume(); process.stdin.on("end", () => process.exit())')
    const bare = spawn(process.execPath, [server, '--token', 'hunter2secret'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const wrapped = spawn(
      process.execPath,
      [binary, 'run', '--home', user.home, '--collector', 'none', '--', process.execPath, server],
      { stdio: ['pipe', 'pipe', 'ignore'], env: user.env },
    )
    onTestFinished(() => {
      bare.kill('SIGKILL')
      wrapped.stdin.end()
    })
    await new Promise((resolve) => setTimeout(resolve, 500))
    const found = await runAside(user, ['doctor', '--json'])
    const mine = found.stdout.split('\n').filter((line) => line.includes(server))
    expect(mine.map((line) => JSON.parse(line))).toEqual([
      {
        id: `process:${bare.pid}`,
        pid: bare.pid,
        state: 'uncovered',
        reason: 'guess',
        text: expect.stringMatching(/mcp-server-clock\.mjs --token \*\*\*$/),
      },
    ])
    expect(found.code).toBe(1)
    expect((await runAside(user, ['doctor'])).stdout).toMatch(/processes +\d+ looks? like/)
  })
})

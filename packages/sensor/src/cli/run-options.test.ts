import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseGatewayArguments } from './gateway-options.ts'
import { parseInstallArguments } from './install-options.ts'
import { loadRunConfig } from './run-config.ts'
import { parseRunArguments } from './run-options.ts'
import { nameProgram, nameServer } from './server-name.ts'
import { UsageError } from './usage-error.ts'

describe('arguments of run', () => {
  it('options end where the command begins [C-28]', () => {
    expect(
      parseRunArguments([
        '--server',
        'crm',
        '--level=full',
        '--fail-open',
        'read,unknown',
        '--',
        'npx',
        '--level',
        'x',
      ]),
    ).toEqual({
      command: 'npx',
      args: ['--level', 'x'],
      server: 'crm',
      level: 'full',
      failOpen: ['read', 'unknown'],
    })
    expect(parseRunArguments(['python', '-m', 'x', '--help'])).toEqual({
      command: 'python',
      args: ['-m', 'x', '--help'],
    })
    expect(parseRunArguments(['--help'])).toBe('help')
  })

  it('mistakes say what they are [C-28]', () => {
    const mistakes: [string[], RegExp][] = [
      [[], /needs the command/],
      [['--'], /needs the command/],
      [['--sever', 'x', '--', 'y'], /no option '--sever'/],
      [['-s', 'x'], /no option '-s'/],
      [['--server'], /--server needs a value/],
      [['--server', '--', 'x'], /--server needs a value/],
      [['--home=', '--', 'x'], /--home is empty/],
      [['--level', 'all', '--', 'x'], /--level takes one of metadata, arguments, full/],
      [['--fail-open', 'write,everything', '--', 'x'], /--fail-open takes a list of write, read, unknown/],
    ]
    for (const [argv, message] of mistakes) {
      expect(() => parseRunArguments(argv)).toThrow(message)
      expect(() => parseRunArguments(argv)).toThrow(UsageError)
    }
  })
})

describe('options that are nearly right', () => {
  it('are answered with the right one, and nothing that was typed is repeated but a name [Q-25]', () => {
    const mistakes: [() => unknown, string][] = [
      [() => parseRunArguments(['--servr=sk-1', '--', 'true']), '--server'],
      [() => parseGatewayArguments(['--confg', 'x']), '--config'],
      [() => parseInstallArguments('install', ['--dryrun'], '/'), '--dry-run'],
      [() => parseInstallArguments('doctor', ['--jsno'], '/'), '--json'],
    ]
    for (const [parse, meant] of mistakes)
      expect(parse).toThrow(
        expect.objectContaining({
          message: expect.not.stringContaining('sk-1'),
          remedy: expect.stringMatching(`^Did you mean '${meant}'\\? Try 'affidavit [a-z]+ --help'\\.$`),
        }),
      )
    // Not in the help, and of another command.
    for (const parse of [
      () => parseGatewayArguments(['--ends-with-stdi']),
      () => parseInstallArguments('doctor', ['--yess'], '/'),
    ])
      expect(parse).toThrow(expect.objectContaining({ remedy: expect.stringMatching(/^Try /) }))
  })
})

describe('configuration of run', () => {
  const load = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-config-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'affidavit.yaml'), text)
    return { folder, config: () => loadRunConfig(join(folder, 'affidavit.yaml')) }
  }

  it('is read, paths relative to it [C-28]', () => {
    const { config, folder } = load(
      'server: crm\nlevel: full\nfailOpen: [read]\nredact:\n  patterns: ./mine.yaml\nlimits:\n  spoolBytes: 1073741824\n',
    )
    expect(config()).toEqual({
      server: 'crm',
      level: 'full',
      failOpen: ['read'],
      redact: { patterns: join(folder, 'mine.yaml') },
      limits: { spoolBytes: 1073741824 },
    })
    expect(load('').config()).toEqual({})
  })

  it('mistakes name line, key and remedy [C-28]', () => {
    const mistakes: [string, RegExp][] = [
      ['server: crm\nlevl: full\n', /line 2: levl: .*/],
      ['server: crm\nredact:\n  pattern: x\n', /line 3: redact\.pattern: /],
      ['server: crm\n\nlevel: everything\n', /line 3: level: /],
      ['failOpen:\n  - read\n  - none\n', /line 3: failOpen\.1: /],
      ['server: [\n', /not YAML/],
      ['server: a\nserver: b\n', /line 2: not YAML \(DUPLICATE_KEY\)/],
      ['limits:\n  spoolBytes: 5\n', /line 2: limits\.spoolBytes: /],
    ]
    for (const [text, message] of mistakes) expect(load(text).config).toThrow(message)
    expect(() => loadRunConfig('/nowhere/affidavit.yaml')).toThrow(/cannot be read \(ENOENT\)/)
  })
})

it('a server without a name is called after its package, script or program', () => {
  const names: [string, string[], string][] = [
    [
      'npx',
      ['-y', '@modelcontextprotocol/server-filesystem@2026.8.31', '/tmp'],
      '@modelcontextprotocol/server-filesystem',
    ],
    ['npm', ['exec', '--', 'some-server@latest'], 'some-server'],
    ['uvx', ['mcp-server-git'], 'mcp-server-git'],
    ['/usr/bin/node', ['--no-warnings', '/x/node_modules/@a/b/dist/index.js'], '@a/b'],
    ['node', ['./crm/dist/index.mjs'], 'crm'],
    ['python3', ['-m', 'crm_server'], 'crm_server'],
    ['C:\\Tools\\server.exe', [], 'server'],
    ['/opt/bin/my-server', ['--port', '1'], 'my-server'],
    ['', [], 'server'],
    ['env', ['-u', 'HOME', 'A=1', 'npx', '-y', '--package', 'a', 'pkg'], 'pkg'],
    ['uvx', ['--from', 'git+https://github.com/x/y', 'mcp-git[all]==1.0'], 'mcp-git'],
    ['uv', ['run', '--directory', '/srv/x', 'python', '-m', 'crm_server'], 'crm_server'],
    ['node', ['--require', './trace.js', '--import', 'tsx', 'crm/src/index.ts'], 'crm'],
    ['python3.12', ['-u', '-m', 'crm_server', '--token', 'sek'], 'crm_server'],
    ['bash', ['-e', 'serve.sh'], 'bash'],
    ['docker', ['run', '-e', 'TOKEN=sek', 'mcp/github'], 'docker'],
    ['C:\\node\\node.exe', ['C:\\srv\\crm\\index.js'], 'crm'],
  ]
  expect(names.map(([command, args]) => nameServer(command, args))).toEqual(names.map(([, , name]) => name))
})

it('no part of a command line but a name becomes the name of a server [C-41]', () => {
  const commands: [string, string[]][] = [
    ['env', ['API_TOKEN=sek', 'node', 'srv.js']],
    ['env', ['API_TOKEN=sek', 'node']],
    ['env', ['-S', 'node sek', 'sek']],
    ['env', ['--what', 'sek', 'node', 'srv.js']],
    ['bash', ['-c', 'API_TOKEN=sek exec node srv.js', 'sek']],
    ['sh', ['-lc', 'sek']],
    ['python', ['-cimport sek', 'sek']],
    ['python', ['-c', 'import x', 'sek', '-m', 'sek']],
    ['python', ['--token', 'sek', '-m', 'sek']],
    ['node', ['-e', 'run("sek")', 'sek']],
    ['node', ['-pe', 'sek', 'sek']],
    ['node', ['--eval=x', 'sek']],
    ['node', ['--what', 'sek', 'srv.js']],
    ['bash', ['-s', 'sek']],
    ['perl', ['-E', 'sek', 'sek']],
    ['php', ['-B', 'sek', 'x.php']],
    ['ruby', ['-ne', 'sek', 'sek']],
    ['php', ['-r', 'sek', 'sek']],
    ['npx', ['-y', '--token', 'sek', 'pkg']],
    ['npx', ['-c', 'sek', 'sek']],
    ['npx', ['-p', 'sek', '-c', 'sek']],
    ['npx', ['https://u:sek@host/pkg.tgz?token=sek']],
    ['npx', ['git+https://u:sek@host/sek.git']],
    ['npx', ['u:sek@host']],
    ['uvx', ['--from', 'git+https://u:sek@host/x', '--with', 'sek']],
    ['uvx', ['git+https://u:sek']],
    ['deno', ['run', '-A', 'https://u:sek@host/sek.ts']],
    ['npm', ['--//registry/:_authToken', 'sek', 'exec', 'pkg']],
    ['node', ['sek value.js']],
    ['TOKEN=sek', []],
    ['./run sek', []],
    ['/bin/$sek', []],
    [`/bin/sek${'x'.repeat(64)}`, []],
  ]
  for (const [command, args] of commands) {
    const name = nameServer(command, args)
    expect(name, [command, ...args].join(' ')).not.toContain('sek')
    expect(name).toMatch(/^[\w.-]+$/)
    expect(nameProgram(command)).not.toContain('sek')
  }
})

it('whatever a command line is, its name looks like one [C-41] [C-29]', () => {
  const argument = fc.oneof(
    fc.string(),
    fc.constantFrom('--', '-c', '-m', '-y', '-e', 'A=1', 'env', 'npx', 'node', 'python', '@', '@a/b', 'run', '/', ''),
  )
  fc.assert(
    fc.property(argument, fc.array(argument, { maxLength: 8 }), (command, args) => {
      expect(nameServer(command, args)).toMatch(/^(?:@[\w.-]{1,64}\/)?[\w.-]{1,64}$/)
    }),
  )
})

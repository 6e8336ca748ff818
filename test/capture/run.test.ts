import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Header } from '@affidavit/evidence/record/header'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { readSegments } from '@affidavit/sensor/spool/read'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call, echoServer, eventually, initialize, isAlive, request } from './harness/wrapped.ts'

const main = join(import.meta.dirname, '../../packages/sensor/src/cli/main.ts')

interface Finished {
  code: number | null
  out: string
  err: string
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-run-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs affidavit-sensor to its end with this input. */
function sensor(args: string[], input = '', env: Record<string, string> = {}): Promise<Finished> {
  const child = spawn(process.execPath, ['--conditions=@affidavit/source', main, ...args], {
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const parts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (parts.out += chunk))
  child.stderr.on('data', (chunk) => (parts.err += chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...parts })))
}

const session =
  initialize + request(1, 'tools/list') + call('two', 'echo', { token: 'ghp_abcdefghijklmnopqrstuvwxyz0123456789' })
const run = (home: string, ...options: string[]) => [
  'run',
  '--collector',
  'none',
  '--home',
  home,
  ...options,
  '--',
  ...echoServer,
]

/** Every record of every stream, read strictly: each stream must be closed. */
async function headersIn(home: string): Promise<Header[]> {
  const directory = join(home, 'spool')
  const streams = readdirSync(directory)
    .filter((file) => file.endsWith('.seg'))
    .map((file) => file.slice(0, 36))
  const headers: Header[] = []
  for (const streamId of new Set(streams.sort())) {
    for await (const item of readSegments({ layer: systemLayer, directory, streamId, state: 'closed' }))
      if (item.type === 'commit') headers.push(...item.records.map(({ header }) => header))
  }
  return headers
}

describe('run', () => {
  it('records a whole session durably in the home folder [C-31] [C-30]', async () => {
    const home = join(folder(), 'home')
    const { code, out, err } = await sensor(run(home), session)
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([0, 1, 'two'])
    const headers = await headersIn(home)
    expect(headers.map((header) => `${header.kind}${'stage' in header ? ` ${header.stage}` : ''}`).sort()).toEqual([
      'call completed', 'call requested', 'change', 'list completed', 'list requested', 'session completed', 'session requested',
      'stream', 'stream',
    ]) // biome-ignore format: one list
    expect(statSync(home).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
      const path = join(home, file)
      if (statSync(path).isFile())
        expect(readFileSync(path).includes('ghp_abcdefghijklmnopqrstuvwxyz0123456789')).toBe(false)
    }
  })

  it('a session without a word leaves a closed stream [C-31]', async () => {
    const home = join(folder(), 'home')
    expect((await sensor(run(home))).code).toBe(0)
    expect(
      (await headersIn(home)).map((header) =>
        'detail' in header && 'event' in header.detail ? header.detail.event : header.kind,
      ),
    ).toEqual(['opened', 'closed'])
  })

  it('a home that cannot be used refuses calls, and the server never sees them [C-4]', async () => {
    const home = join(folder(), 'home')
    writeFileSync(home, 'a file where a folder should be')
    const { code, out, err } = await sensor(run(home), `${call(1, 'exit', { code: 7 })}`)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ id: 1, error: { code: -31001, data: { code: 'AFD_AUDIT_UNAVAILABLE' } } })
    expect(err).toMatch(/\[AFD_HOME_UNUSABLE\]/)
    for (const line of err.trim().split('\n')) expect(line).toMatch(/^affidavit: .* \[AFD_[A-Z_]+\]$/)
  })

  it('mistakes end with code 2, one line and a remedy [C-28] [Q-25]', async () => {
    const path = folder()
    const config = join(path, 'affidavit.yaml')
    writeFileSync(config, 'server: x\nlevel: everything\n')
    const mistakes: [string[], RegExp][] = [
      [['run'], /\[AFD_USAGE\]\n$/],
      [['run', '--what', '--', 'true'], /--help'\. \[AFD_USAGE\]\n$/],
      [['run', '--', 'true'], /--collector none.*\[AFD_NO_COLLECTOR\]\n$/],
      [['run', '--collector', 'https://collector.example', '--', 'true'], /\[AFD_NO_COLLECTOR\]\n$/],
      [
        ['run', '--collector', 'none', '--home', path, '--config', config, '--', 'cat'],
        /line 2: level: .*\[AFD_CONFIG_INVALID\]\n$/,
      ],
      [
        ['run', '--collector', 'none', '--home', path, '--config', join(path, 'none.yaml'), '--', 'cat'],
        /ENOENT.*\[AFD_CONFIG_UNREADABLE\]\n$/,
      ],
      [['fly'], /: there is no such command\. Try 'affidavit-sensor --help'\. \[AFD_USAGE\]\n$/],
      [['constructor'], /no such command\. Try .* \[AFD_USAGE\]\n$/],
      [['gatway'], /Did you mean 'gateway'\? Try 'affidavit-sensor --help'\. \[AFD_USAGE\]\n$/],
    ]
    for (const [args, message] of mistakes) {
      const { code, err } = await sensor(args)
      expect(err).toMatch(message)
      expect(err.trim().split('\n')).toHaveLength(1)
      expect(code).toBe(2)
    }
    const help = await sensor(['run', '--help'])
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toMatch(/Examples:/)
  })

  it('patterns of the configuration redact [C-28]', async () => {
    const path = folder()
    const home = join(path, 'home')
    writeFileSync(
      join(path, 'patterns.yaml'),
      'version: 1\nrules:\n  - id: ticket\n    class: secret\n    pattern: "TICKET-[0-9]+"\n',
    )
    writeFileSync(join(path, 'affidavit.yaml'), 'redact:\n  patterns: ./patterns.yaml\n')
    const { code, err } = await sensor(run(home, '--config', join(path, 'affidavit.yaml')), session)
    expect(err).toBe('')
    expect(code).toBe(0)
    writeFileSync(
      join(path, 'patterns.yaml'),
      'version: 1\nrules:\n  - id: ticket\n    class: secret\n    pattern: "("\n',
    )
    expect((await sensor(run(home, '--config', join(path, 'affidavit.yaml')), session)).err).toMatch(
      /line 5.*\[AFD_PATTERNS_REGEX\]/,
    )
  })

  it('a program that is not there is said so, with code 127 [C-28] [C-18]', async () => {
    const { code, err } = await sensor([
      'run',
      '--collector',
      'none',
      '--home',
      join(folder(), 'home'),
      '--',
      '/nowhere/server',
    ])
    expect(code).toBe(127)
    expect(err).toMatch(/^affidavit: cannot start server: .* \[AFD_SERVER_NOT_STARTED\]\n$/)
  })

  it('a mistake in the configuration is told before the server is started [C-42]', async () => {
    const path = folder()
    const config = join(path, 'affidavit.yaml')
    const patterns = join(path, 'patterns.yaml')
    const trace = join(path, 'started')
    const start = () =>
      sensor([
        'run', '--collector', 'none', '--home', join(path, 'home'), '--config', config,
        '--', '/bin/sh', '-c', `echo started >> ${trace}`,
      ]) // biome-ignore format: one command
    writeFileSync(config, 'levl: full\n')
    expect(await start()).toMatchObject({ code: 2, err: expect.stringMatching(/\[AFD_CONFIG_INVALID\]\n$/) })
    writeFileSync(config, 'redact:\n  patterns: patterns.yaml\n')
    expect(await start()).toMatchObject({ code: 2, err: expect.stringMatching(/\[AFD_CONFIG_UNREADABLE\]\n$/) })
    writeFileSync(patterns, 'version: 1\nrules:\n  - id: x\n    class: secret\n    pattern: "("\n')
    expect(await start()).toMatchObject({ code: 2, err: expect.stringMatching(/\[AFD_PATTERNS_REGEX\]\n$/) })
    expect(readdirSync(path).sort()).toEqual(['affidavit.yaml', 'patterns.yaml'])
    writeFileSync(config, 'level: full\n')
    expect(await start()).toMatchObject({ code: 0, err: '' })
    expect(readFileSync(trace, 'utf8')).toBe('started\n')
  })

  it('names that were given are redacted, and what was typed is not quoted with its secrets [C-41]', async () => {
    const path = folder()
    const secret = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'
    const config = join(path, 'affidavit.yaml')
    writeFileSync(config, `server: crm ${secret}\n`)
    for (const options of [
      ['--server', `crm ${secret}`],
      ['--config', config],
    ]) {
      const home = join(path, options[0] ?? '')
      expect(await sensor(run(home, ...options), session)).toMatchObject({ code: 0, err: '' })
      const names = (await headersIn(home)).flatMap((header) =>
        'server' in header && header.server !== undefined ? [header.server.name] : [],
      )
      expect(new Set(names)).toEqual(new Set(['crm [REDACTED:github-token]']))
    }
    const none = ['run', '--collector', 'none', '--home', join(path, 'home')]
    const typed = [
      [...none, '--', `/nowhere/${secret}`],
      [...none, `--level=${secret}`, '--', 'cat'],
      [...none, '--fail-open', secret, '--', 'cat'],
      [...none, `-${secret}`, '--', 'cat'],
      [...none, '-phunter2', '--', 'cat'],
      [...none, '--level', 'hunter2', '--', 'cat'],
      [...none, '--fail-open', 'read,hunter2', '--', 'cat'],
      ['hunter2'],
      [...none, '--config', `/nowhere/${secret}.yaml`, '--', 'cat'],
      ['run', '--collector', 'https://user:hunter2@collector.example', '--', 'cat'],
    ]
    for (const args of typed) {
      const { code, err } = await sensor(args)
      expect(code).not.toBe(0)
      expect(err).toMatch(/\[AFD_[A-Z_]+\]\n$/)
      expect(err).not.toMatch(/ghp_|hunter2/)
    }
  })

  it('what Node cannot even try to start is said so, with code 126 [C-28] [C-18]', async () => {
    const { code, err } = await sensor(['run', '--collector', 'none', '--home', folder(), '--', '/etc/passwd/server'])
    expect(err).toBe(
      'affidavit: cannot start server: the system says ENOTDIR. Check the command after --. [AFD_SERVER_NOT_STARTED]\n',
    )
    expect(code).toBe(126)
  })

  it('a collector is started where none is running, and only then [C-31]', async () => {
    const path = folder()
    const home = join(path, 'home')
    // Stands for the collector: says that it was started, and claims the home as collectors do.
    const collector = join(path, 'collector.sh')
    writeFileSync(collector, `#!/bin/sh\necho "$$ $@" >> ${path}/started\nexec sleep 20\n`)
    chmodSync(collector, 0o755)
    const wired = join(import.meta.dirname, 'harness/wired.ts')
    const child = spawn(
      process.execPath,
      ['--conditions=@affidavit/source', wired, collector, '--home', home, '--', ...echoServer],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    child.stdin.write(session)
    const started = () => {
      try {
        return readFileSync(join(path, 'started'), 'utf8').trim().split('\n')
      } catch (error) {
        if (error instanceof Error && 'code' in error) return []
        throw error
      }
    }
    await eventually(() => started().length === 1)
    const [line = ''] = started()
    const pid = Number(line.split(' ')[0])
    onTestFinished(() => void process.kill(pid, 'SIGKILL'))
    expect(line).toBe(`${pid} collector --home ${home}`)
    child.stdin.end()
    await new Promise((resolve) => child.on('exit', resolve))
    expect(isAlive(pid)).toBe(true)
  })
})

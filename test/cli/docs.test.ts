import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binary, collect, runCommand, runSession, stopCollector } from '../tamper/build-home.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/CLI.md'), 'utf8')
const examples = [...page.matchAll(/^\$ affidavit (.*)$/gm)].map((match) => match[1] ?? '')

let directory: string
let home: string
let id: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'affidavit-docs-'))
  home = join(directory, 'home')
  await runSession(home, join(directory, 'files'), 3)
  stopCollector(home)
  collect(home)
  writeFileSync(join(directory, 'affidavit.yaml'), 'upstreams:\n  one:\n    url: http://127.0.0.1:3001/mcp\n')
  copyFileSync(join(home, 'log/checkpoint'), join(directory, 'kept-checkpoint'))
  copyFileSync(join(home, 'keys/log.pub'), join(directory, 'kept-log.pub'))
  cpSync(join(import.meta.dirname, '../../content/policies'), join(directory, 'policies'), { recursive: true })
  // What install, doctor and uninstall find: a client of a user who lives in this folder.
  mkdirSync(join(directory, '.cursor'))
  writeFileSync(join(directory, '.cursor/mcp.json'), '{"mcpServers":{"files":{"command":"npx","args":["files"]}}}')
  const [line = ''] = runCommand(['query', '--home', home, '--json', '--tool', 'write_file']).stdout.split('\n')
  const call: unknown = JSON.parse(line)
  id = typeof call === 'object' && call !== null && 'id' in call ? String(call.id).slice(-8) : ''
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function runExample(example: string) {
  const argv = [...example.replace('ID', id).matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
  return spawnSync(process.execPath, [binary, ...argv], {
    encoding: 'utf8',
    cwd: directory,
    env: { ...process.env, AFFIDAVIT_HOME: home, HOME: directory, XDG_CONFIG_HOME: '' },
    timeout: 60_000,
  })
}

describe('docs/CLI.md', () => {
  it('has an example of every command [Q-14]', () => {
    const listed = [...runCommand(['--help']).stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map((match) => match[1])
    expect(listed.length).toBeGreaterThan(8)
    const shown = new Set(examples.map((example) => example.split(' ')[0]))
    expect(listed.filter((name) => name !== undefined && !shown.has(name))).toEqual([])
  })
  it.each(examples.filter((example) => !example.startsWith('run ')))('affidavit %s [Q-14]', (example) => {
    const { status, stdout, stderr } = runExample(example)
    // Other processes of this machine may look like servers that nobody records: then doctor says no.
    // And policies that are not in force would decide otherwise.
    const good = /^(doctor|policy replay)/.test(example) ? [0, 1] : [0]
    expect({ status, stderr }).toEqual({ status: expect.toBeOneOf(good), stderr: expect.not.stringContaining('AFD_') })
    // No credential came with the calls of this home; what is said of that goes to stderr.
    const findsNothing = example === 'credential' || example.includes('--outcome')
    const writesNothing = findsNothing || example.startsWith('collector') || example.includes(' -o ')
    if (!writesNothing) expect(stdout).not.toBe('')
  })
  it('every command explains itself with examples [Q-11]', () => {
    for (const name of new Set(examples.map((example) => example.split(' ')[0] ?? ''))) {
      const { code, stdout } = runCommand([name, '--help'])
      expect({ name, code }).toEqual({ name, code: 0 })
      expect(stdout).toMatch(/examples?/i)
    }
  })
})

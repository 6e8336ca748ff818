import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, runCommand, runSession, stopCollector } from '../tamper/build-home.ts'
import { outline, trace } from './harness/told.ts'

let directory: string
let home: string
let id: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'affidavit-trace-'))
  home = join(directory, 'home')
  await runSession(home, join(directory, 'files'), 1)
  stopCollector(home)
  collect(home)
  const calls = runCommand(['query', '--home', home, '--json', '--tool', 'write_file']).stdout
  id = /"id":"([^"]+)"/.exec(calls)?.[1] ?? ''
}, 60_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const refused = (...argv: string[]) => {
  const { code, stdout, stderr } = runCommand(['trace', ...argv, '--home', home])
  return { code, stdout, error: /\[(AFD_\w+)\]\n$/.exec(stderr)?.[1] }
}

describe('affidavit trace', () => {
  it('names what a call on stdio lacks: who started the agent, and which data it reached [TR-4]', () => {
    const told = trace(home, id)
    expect(outline(told.steps).map((line) => line.trim().replace(/ \S*\/node /, ' node '))).toEqual([
      expect.stringMatching(/^user .* ← os-user \(attested\)$/),
      'break nothing says who started the agent: only the account is known that it runs under',
      'workload node ← parent-process (attested)',
      'agent demo-agent 1.0.0 ← client-info (claimed)',
      'call write_file on files 0.2.0 ← request (attested)',
      'break nothing says which data its server reached: the record names none',
    ])
    expect(told.breaks.map(({ after }) => after)).toEqual([expect.any(String), 'write_file on files 0.2.0'])
  })
  it('says what it cannot do, with one line, exit code 2 and a code [TR-2]', () => {
    const nothing = { code: 2, stdout: '' }
    expect(refused()).toEqual({ ...nothing, error: 'AFD_USAGE' })
    expect(refused('no-id-at-all')).toEqual({ ...nothing, error: 'AFD_USAGE' })
    expect(refused('4bf92f3577b34da6a3ce929d0e0e4736')).toEqual({ ...nothing, error: 'AFD_NOT_FOUND' })
    expect(refused('01968d1e-0000-7000-8000-000000000001')).toEqual({ ...nothing, error: 'AFD_NOT_FOUND' })
    expect(refused('leaf:0')).toEqual({ ...nothing, error: 'AFD_NOT_FOUND' })
    expect(refused(id, '--log', join(directory, 'nowhere.log'))).toEqual({ ...nothing, error: 'AFD_FILE_UNREADABLE' })
  })
  it('fits the terminal, and is no wider than 100 columns elsewhere [TR-2]', () => {
    const { stdout } = runCommand(['trace', id, '--home', home])
    expect(stdout.split('\n').filter((line) => line.length > 100 && !line.includes('/'))).toEqual([])
    expect(stdout).toContain('2 breaks')
  })
})

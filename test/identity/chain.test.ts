import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Lineage } from '@affidavit/evidence/record/lineage'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseProcStat } from '../../packages/sensor/src/identity/proc-stat.ts'
import { readChain } from '../../packages/sensor/src/identity/process-chain.ts'

const program = join(import.meta.dirname, 'harness/who.ts')
const node = ['--conditions=@affidavit/source', program]

interface Told {
  pid: number
  workload: Actor
  lineage: Lineage
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-chain-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs a shell that stays, so that it is the parent of what it starts. */
function tellBelow(command: string, args: string[]): Told {
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8', timeout: 30_000 }))
}

const script = (mode: string) =>
  `"${process.execPath}" ${node.map((word) => `"${word}"`).join(' ')} own ${mode}; exit 0`
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('base64')

describe.skipIf(process.platform !== 'linux')('the processes above', () => {
  it('are named from the one that started it to the first, with what they run [AT-1] [AT-4]', () => {
    const { workload, lineage } = tellBelow('/bin/sh', ['-c', script('hash')])
    const [shell, us] = lineage.processes
    const running = realpathSync('/bin/sh')
    expect(shell).toMatchObject({ executable: running, file: 'same', hash: sha256(running), uid: process.geteuid?.() })
    expect(us).toMatchObject({ pid: process.pid, hash: sha256(process.execPath) })
    expect(Math.abs(Date.parse(us?.startedAt ?? '') - performance.timeOrigin)).toBeLessThan(2_000)
    expect(lineage.processes.length).toBeLessThanOrEqual(16)
    expect(['init', 'namespace', 'bound']).toContain(lineage.end)
    expect(workload).toMatchObject({
      assurance: 'attested', id: running, executable: sha256(running), uid: process.geteuid?.(),
      reason: 'any process of the same user could have made this call',
    }) // biome-ignore format: one actor
  })

  it('wait for no hash [AT-5]', () => {
    const { workload, lineage } = tellBelow('/bin/sh', ['-c', script('')])
    expect(lineage.processes[0]).toMatchObject({ missing: expect.stringContaining('a later record has the hash') })
    expect(lineage.processes[0]).not.toHaveProperty('hash')
    expect(workload).not.toHaveProperty('executable')
  })

  it.each([
    ['replaced', (path: string) => {
      writeFileSync(`${path}.new`, '#!/bin/false\n')
      renameSync(`${path}.new`, path)
    }],
    ['deleted', (path: string) => unlinkSync(path)],
  ] as const)('are hashed as they run where the file was %s [AT-2]', async (state, change) => {
    const path = join(folder(), 'shell')
    copyFileSync(realpathSync('/bin/sh'), path)
    chmodSync(path, 0o755)
    const hash = sha256(path)
    const shell = spawn(path, ['-c', `read -r go; ${script('hash')}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void shell.kill('SIGKILL'))
    await new Promise((resolve) => setTimeout(resolve, 100))
    change(path)
    shell.stdin.end('go\n')
    const { lineage }: Told = JSON.parse(await textOf(shell))
    expect(lineage.processes[0]).toMatchObject({ executable: path, file: state, hash })
  }) // biome-ignore format: the table reads better

  it('are nobody where the one that started it is gone [AT-4]', async () => {
    // The shell starts it in the background and ends: it is handed to another process before it looks.
    const words = node.map((word) => `"${word}"`).join(' ')
    const shell = spawn('/bin/sh', ['-c', `(sleep 0.3; exec "${process.execPath}" ${words} $$) & exit 0`])
    const { lineage, workload }: Told = JSON.parse(await textOf(shell))
    expect(lineage).toEqual({ processes: [], end: 'ended' })
    expect(workload).toEqual({ absent: 'the process that started us had ended before it was looked at' })
  })

  it('end at the border of a namespace, and say so [AT-4]', () => {
    const root = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
    const inside = ['--pid', '--fork', '--mount-proc', '/bin/sh', '-c', script('')]
    const { lineage } = tellBelow('unshare', [...root, ...inside])
    expect(lineage.processes).toMatchObject([{ pid: 1, executable: expect.stringMatching(/sh$/) }])
    expect(lineage.end).toBe('namespace')
  })

  it('are at most 16 [AT-4]', () => {
    const path = folder()
    writeFileSync(join(path, '0.sh'), script(''))
    for (let i = 1; i <= 17; i++) writeFileSync(join(path, `${i}.sh`), `/bin/sh ${join(path, `${i - 1}.sh`)}\nexit 0\n`)
    const { lineage } = tellBelow('/bin/sh', [join(path, '17.sh')])
    expect(lineage.processes).toHaveLength(16)
    expect(lineage.end).toBe('bound')
  })

  it('that are not there, or younger than their child, end the chain [AT-4]', () => {
    expect(readChain(2 ** 22 + 7, 1, 'initial')).toEqual({ links: [], end: 'hidden' })
    expect(readChain(process.pid, process.ppid + 1, 'initial')).toEqual({ links: [], end: 'ended' })
  })
})

it('a program may be called as it likes [AT-1]', () => {
  const rest = 'S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5544 1 1'
  for (const name of ['node', 'a) S 1 (b', 'x\ny) R 9', '', ')))('])
    expect(parseProcStat(`42 (${name}) ${rest}`)).toEqual({ parentPid: 7, startTicks: 5544 })
  for (const text of ['', '42', '42 (x)', '42 (x) S', '42 (x) S seven 1 1']) expect(parseProcStat(text)).toBeUndefined()
})

function textOf(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve) => child.on('close', () => resolve(text)))
}

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binary, stopCollector } from '../tamper/build-home.ts'
import { type BodyCase, bodyCases, idCases, largeCases } from './cases/bodies.ts'

/** The bodies of the HTTP cases as lines, on a server's stdin and stdout: directly, and with `affidavit run` between. */
const cases = [...bodyCases, ...idCases, ...largeCases]
const program = join(import.meta.dirname, 'servers/scripted-stdio.mjs')
const toLines = (bodies: Uint8Array[]) => Buffer.concat(bodies.flatMap((body) => [body, Buffer.from('\n')]))

let folder: string
let direct: Heard
let wrapped: Heard
interface Heard {
  byServer: Buffer
  byClient: Buffer
  code: number | null
}

async function converse(name: string, before: string[]): Promise<Heard> {
  const [heard, answers] = [join(folder, `${name}-heard`), join(folder, `${name}-answers`)]
  writeFileSync(heard, '')
  writeFileSync(answers, toLines(cases.map(({ response }) => response)))
  const [command = '', ...argv] = [...before, process.execPath, program, heard, answers]
  const child = spawn(command, argv, { stdio: ['pipe', 'pipe', 'ignore'] })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  const gone = new Promise<number | null>((resolve) => child.on('close', resolve))
  child.stdin.end(toLines(cases.map(({ request }) => request)))
  const timer = setTimeout(() => child.kill('SIGTERM'), 40_000)
  const code = await gone
  clearTimeout(timer)
  return { byServer: readFileSync(heard), byClient: Buffer.concat(said), code }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-differential-'))
  direct = await converse('direct', [])
  const run = [process.execPath, binary, 'run', '--home', join(folder, 'home'), '--server', 'scripted', '--']
  wrapped = await converse('wrapped', run)
})
afterAll(() => {
  stopCollector(join(folder, 'home'))
  rmSync(folder, { recursive: true, force: true })
})

/** The lines of one case, found by its place, because every body is one line. */
const lineOf = (bytes: Buffer, place: number): Buffer => {
  let start = 0
  for (let i = 0; i < place; i++) start = bytes.indexOf(10, start) + 1
  return bytes.subarray(start, bytes.indexOf(10, start) + 1)
}

describe('lines are relayed as they are', () => {
  it.each(cases.map((one, place): [string, BodyCase, number] => [one.name, one, place]))(
    '%s [DF-12]',
    (_name, one, place) => {
      const [request, response] = [toLines([one.request]), toLines([one.response])]
      for (const way of [direct, wrapped]) {
        expect(lineOf(way.byServer, place).equals(request)).toBe(true)
        expect(lineOf(way.byClient, place).equals(response)).toBe(true)
      }
    },
  )
  it('nothing is added at the end, and the exit code is the same [DF-12]', () => {
    expect(wrapped.byServer.equals(direct.byServer)).toBe(true)
    expect(wrapped.byClient.equals(direct.byClient)).toBe(true)
    expect([direct.code, wrapped.code]).toEqual([0, 0])
  })
})

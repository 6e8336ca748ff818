import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeEnvironment } from '@affidavit/evidence/record/environment-section'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createRedactor } from '../redact/redactor.ts'
import { openPosture, type PostureFeed } from './posture.ts'
import type { PostureSource } from './posture-source.ts'

const redactor = createRedactor({ correlationKey: new Uint8Array(32).fill(7) })
const secret = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'

function open(source: PostureSource, pace = { everyMs: 50, maxAgeMs: 60_000 }): { feed: PostureFeed; said: string[] } {
  const said: string[] = []
  const feed = openPosture({
    source,
    ...pace,
    redactJson: (text) => redactor.redactJson(text).text,
    diagnose: (code, sentence) => said.push(`${code} ${sentence}`),
  })
  onTestFinished(() => feed.close())
  return { feed, said }
}

async function reading(feed: PostureFeed) {
  await vi.waitFor(() => expect(feed.current(Date.now())).toHaveProperty('values'), { timeout: 10_000 })
  const current = feed.current(Date.now())
  if ('absent' in current) throw new Error(current.absent)
  return current
}

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-posture-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'posture.json')
  writeFileSync(path, text)
  return path
}

async function serve(answer: () => string | undefined): Promise<string> {
  const server = createServer((_, response) => {
    const text = answer()
    if (text !== undefined) response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/posture`
}

const node = process.execPath

describe('posture', () => {
  it.each([
    ['file', async () => ({ file: file('{"diskEncrypted":true,"os":{"patchAgeDays":3}}') })],
    ['command', async () => ({ command: [node, '-e', `console.log('{"diskEncrypted":true,"os":{"patchAgeDays":3}}')`] as const })],
    ['http', async () => ({ http: await serve(() => '{"diskEncrypted":true,"os":{"patchAgeDays":3}}') })],
  ] as const)('is told by a %s, with age and source [AT-11]', async (kind, source) => {
    const { section, values, state } = await reading(open(await source()).feed)
    expect(values).toEqual({ diskEncrypted: true, os: { patchAgeDays: 3 } })
    expect(state).toBe('fresh')
    expect(section).toMatchObject({
      source: kind, omitted: 0,
      signals: [{ name: 'diskEncrypted', value: 'true' }, { name: 'os.patchAgeDays', value: '3' }],
    })
    expect(section.ageMs).toBeLessThan(30_000)
  }) // biome-ignore format: one case, one line

  it('is redacted before anything is kept, and bounded [AT-11]', async () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`s${i}`, 'x'.repeat(400)]))
    const told = {
      note: `see ${secret}`,
      password: 'hunter2hunter2',
      '': { '': 1 },
      deep: { a: { b: { c: { d: { e: 1 } } } } },
      ...many,
    }
    const { section, values } = await reading(open({ file: file(JSON.stringify(told)) }).feed)
    expect(JSON.stringify([section, values])).not.toMatch(/ghp_abc|hunter2/)
    expect(section.signals).toHaveLength(64)
    expect(section.omitted).toBe(84 - 64)
    const rest = {
      host: { absent: 'x' },
      processes: { absent: 'x' },
      network: { absent: 'x' },
      ids: {},
      redactions: [],
      redactionsOmitted: 0,
    }
    expect(() => encodeEnvironment({ ...rest, posture: section })).not.toThrow()
  })

  it('of a file is as old as the file, however often it is read [AT-11]', async () => {
    const path = file('{"edr":"on"}')
    const hourAgo = Date.now() / 1000 - 3600
    utimesSync(path, hourAgo, hourAgo)
    const { state, ageMs, section } = await reading(open({ file: path }).feed)
    expect({ state, inSection: section.state }).toEqual({ state: 'stale', inSection: 'stale' })
    expect(ageMs).toBeGreaterThan(3_590_000)
    const ahead = Date.now() / 1000 + 3600
    utimesSync(path, ahead, ahead)
    const { feed } = open({ file: path })
    await vi.waitFor(() =>
      expect(feed.current(Date.now())).toEqual({ absent: 'the source gives nothing (from_the_future)' }),
    )
  })

  it('that fails leaves what was said last, which grows old, and tells twice: when it begins and when it ends [AT-12]', async () => {
    let text: string | undefined = '{"edr":"on"}'
    const { feed, said } = open({ http: await serve(() => text) }, { everyMs: 20, maxAgeMs: 150 })
    expect(feed.current(Date.now())).toEqual({ absent: 'the source has not answered yet' })
    expect((await reading(feed)).state).toBe('fresh')
    text = 'nonsense'
    await vi.waitFor(() => expect(said).toHaveLength(1))
    const { takenMs } = await reading(feed)
    const old = feed.current(takenMs + 151)
    expect(old).toMatchObject({ state: 'stale', values: { edr: 'on' }, section: { failure: 'not_json', ageMs: 151 } })
    text = '{"edr":"off"}'
    await vi.waitFor(() => expect(said).toHaveLength(2))
    expect(said.map((line) => line.split(' ')[0])).toEqual(['AFD_POSTURE_UNAVAILABLE', 'AFD_POSTURE_BACK'])
    expect((await reading(feed)).values).toEqual({ edr: 'off' })
  })

  it.each([
    ['is not there', { file: '/nowhere/posture.json' }, 'ENOENT'],
    ['never ends', { file: '/dev/zero' }, 'too_large'],
    ['is no object', { file: '/proc/self/cmdline' }, 'not_an_object'],
    ['is not there as a program', { command: ['/nowhere/posture'] as const }, 'ENOENT'],
    ['exits', { command: [node, '-e', 'process.exit(3)'] as const }, 'exit_3'],
    ['floods', { command: [node, '-e', `process.stdout.write('x'.repeat(1e6))`] as const }, 'too_large'],
    ['does not listen', { http: 'http://127.0.0.1:9/' }, 'unreachable'],
    ['is on another machine in the clear', { http: 'http://posture.example/' }, 'insecure'],
  ])('of a source that %s is absent, with the reason [AT-12]', async (_name, source, code) => {
    const { feed } = open(source)
    await vi.waitFor(() => expect(feed.current(Date.now())).toEqual({ absent: `the source gives nothing (${code})` }), {
      timeout: 10_000,
    })
  })

  it('of a program that hangs is given up, and what we are told is not told to it [AT-12]', async () => {
    const before = { ...process.env }
    process.env.AFFIDAVIT_SECRET_TEST = secret
    onTestFinished(() => {
      process.env = before
    })
    const { feed } = open({
      command: [
        node,
        '-e',
        'console.log(JSON.stringify({ seen: Object.keys(process.env).filter((n) => n.startsWith("AFFIDAVIT_")) }))',
      ],
    })
    expect((await reading(feed)).values).toEqual({ seen: [] })
    const hung = open({ command: [node, '-e', 'setInterval(() => 1, 1000)'] })
    await vi.waitFor(
      () => expect(hung.feed.current(Date.now())).toEqual({ absent: 'the source gives nothing (timeout)' }),
      { timeout: 15_000 },
    )
  }, 30_000)
})

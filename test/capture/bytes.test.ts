import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  call,
  echoServer,
  initialize,
  kind,
  request,
  stage,
  type WrapOptions,
  type Wrapped,
  wrap,
} from './harness/wrapped.ts'

const server = (name: string, ...args: string[]) => [
  process.execPath,
  join(import.meta.dirname, 'servers', name),
  ...args,
]

function start(command: readonly string[], options?: WrapOptions): Wrapped {
  const wrapped = wrap(command, options)
  onTestFinished(() => wrapped.dispose())
  return wrapped
}

describe('bytes', () => {
  it('odd lines pass unchanged towards the server [C-1]', async () => {
    const odd = Buffer.concat([
      Buffer.from('\n\r\n  \t\n{"jsonrpc":"2.0","method":"x"}\r\nnot json at all\n'),
      Buffer.from([0xff, 0xfe, 0x0a, 0x00, 0x0a]),
      Buffer.from('"line\u2028separator \u0085 next"\n{"a":1}{"b":2}\nthe last without newline'),
    ])
    // cat gives back what it got: both directions in one.
    const wrapped = start(['cat'])
    wrapped.write(odd)
    wrapped.end()
    expect((await wrapped.exit).code).toBe(0)
    expect(wrapped.output().equals(odd)).toBe(true)
  })

  it('bytes cut anywhere come out whole [C-1]', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => request(i, 'ping', { text: 'ä€😀'.repeat(i) })).join('')
    const bytes = Buffer.from(lines)
    const wrapped = start(['cat'])
    for (let at = 0; at < bytes.length; at += 997) {
      wrapped.write(bytes.subarray(at, at + 997))
      if (at % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    wrapped.end()
    await wrapped.exit
    expect(wrapped.output().equals(bytes)).toBe(true)
  })

  it('a 32 MB line passes in both directions and is recorded [C-2]', async () => {
    const text = randomBytes(16 * 1024 * 1024).toString('hex')
    const wrapped = start(echoServer)
    wrapped.write(call(1, 'size', { text }))
    const [sized] = await wrapped.lines(1, 60_000)
    expect(JSON.parse(sized ?? '')).toMatchObject({ id: 1, result: { content: [{ text: String(text.length) }] } })
    wrapped.write(call(2, 'big', { bytes: 32 * 1024 * 1024 }))
    const [, big] = await wrapped.lines(2, 60_000)
    expect(JSON.parse(big ?? '').result.content[0].text).toBe('x'.repeat(32 * 1024 * 1024))
    wrapped.end()
    expect((await wrapped.exit).code).toBe(0)
    const [first, second] = stage(wrapped.records(), 'requested')
    expect(first?.draft.inputBytes).toBe(Buffer.byteLength(call(1, 'size', { text })) - 1)
    expect(JSON.parse(first?.sections.input ?? '')).toMatchObject({ $elided: { reason: 'too_large' } })
    const done = stage(wrapped.records(), 'completed').find(({ draft }) => draft.callId === second?.draft.callId)
    expect(done?.draft).toMatchObject({ outcome: 'success', responseBytes: big?.length })
    expect(JSON.parse(done?.sections.output ?? '')).toMatchObject({ blocks: [{ type: 'text' }] })
  })

  it('a long line keeps what follows its value: white space, CR, garbage [C-1] [C-5]', async () => {
    const body = 'z'.repeat(2_000_000)
    const lines = [
      `{"jsonrpc":"2.0","id":1,"result":{"text":"${body}"}}${' '.repeat(300_000)}\t\r\n`,
      `{"jsonrpc":"2.0","id":2,"result":{"text":"${body}"}} and then some\n`,
      `{"jsonrpc":"2.0","id":3,"result":{"text":"${body}"\n`,
      `[{"jsonrpc":"2.0","method":"a","params":{"text":"${body}"}}]`,
    ]
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-long-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'lines'), lines.join(''))
    const wrapped = start(['sh', '-c', `read request; cat "${join(folder, 'lines')}"`])
    wrapped.write(call(1, 'x'))
    expect((await wrapped.exit).code).toBe(0)
    expect(wrapped.output().equals(Buffer.from(lines.join('')))).toBe(true)
    expect(stage(wrapped.records(), 'completed').map(({ draft }) => draft.outcome)).toEqual(['success'])
    expect(kind(wrapped.records(), 'violation').map(({ draft }) => draft.detail.code)).toEqual([
      'not_json',
      'not_json',
      'unterminated_line',
      'batch',
    ])
  })

  it('lines far larger than memory stream in bounded memory [C-25]', async () => {
    const megabytes = 256
    const wrapped = start(server('large.mjs', String(megabytes)))
    let seen = 0
    wrapped.process.stdout?.removeAllListeners('data')
    wrapped.process.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.length
    })
    wrapped.write(call(1, 'go'))
    let peak = 0
    const { readFileSync } = await import('node:fs')
    while (seen < megabytes * 1024 * 1024) {
      const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${wrapped.process.pid}/status`, 'utf8'))?.[1]
      peak = Math.max(peak, Number(rss) / 1024)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    wrapped.end()
    expect((await wrapped.exit).code).toBe(0)
    expect(peak).toBeLessThan(220)
    expect(stage(wrapped.records(), 'completed')[0]?.draft).toMatchObject({ outcome: 'success' })
  })

  it('a client that does not read stops the server, not the memory [C-25]', async () => {
    const wrapped = start(server('large.mjs', '512'))
    wrapped.process.stdout?.pause()
    wrapped.write(call(1, 'go'))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const { readFileSync } = await import('node:fs')
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${wrapped.process.pid}/status`, 'utf8'))?.[1]
    expect(Number(rss) / 1024).toBeLessThan(220)
  })

  it('stderr passes through, a flood of it included [C-17]', async () => {
    const wrapped = start(server('noisy.mjs'))
    wrapped.write(initialize + call(1, 'echo'))
    await wrapped.lines(2)
    wrapped.end()
    await wrapped.exit
    const noise = wrapped.errors()
    expect(noise.length).toBe(8 * 1024 * 1024)
    expect(noise.split('\n').every((line) => line === '' || line === 'e'.repeat(1023))).toBe(true)
  })

  it('a flood of notifications passes and makes few records [C-9]', async () => {
    const count = 100_000
    const wrapped = start(server('flood.mjs', String(count)))
    wrapped.write(call(1, 'go'))
    const output = await wrapped.until((bytes) => bytes.includes('"id":1'), 60_000)
    expect(
      output
        .toString()
        .split('\n')
        .filter((line) => line.includes('notifications/progress')),
    ).toHaveLength(count)
    wrapped.end()
    await wrapped.exit
    const notes = kind(wrapped.records(), 'notify')
    expect(notes.reduce((sum, { draft }) => sum + draft.detail.count, 0)).toBe(count)
    expect(notes.length).toBeLessThan(60)
    expect(notes[0]?.draft.detail).toMatchObject({ direction: 'to-client', method: 'notifications/progress' })
  })
})

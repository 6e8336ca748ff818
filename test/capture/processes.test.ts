import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  call, echoServer, eventually, initialize, isAlive, request, stage, type WrapOptions, type Wrapped, wrap,
} from './harness/wrapped.ts' // biome-ignore format: one list

function start(command: readonly string[] = echoServer, options?: WrapOptions): Wrapped {
  const wrapped = wrap(command, options)
  onTestFinished(() => wrapped.dispose())
  return wrapped
}

const server = (name: string, ...args: string[]) => [
  process.execPath,
  join(import.meta.dirname, 'servers', name),
  ...args,
]

/** Pids that family.mjs printed on stderr: the server's own and its descendants'. */
async function familyOf(wrapped: Wrapped, count: number): Promise<number[]> {
  const pids = () => [...wrapped.errors().matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid))
  await eventually(() => pids().length >= count)
  const found = pids()
  onTestFinished(() => {
    for (const pid of found) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  return found
}

/** Inodes of the TCP sockets a process listens on, from /proc; none elsewhere. */
function listeningSockets(pid: number | undefined): string[] {
  if (process.platform !== 'linux') return []
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)))
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && open.has(`socket:[${inode}]`))
    .map(([, local = '']) => local)
}

/** Empty where it was closed while we looked. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

describe('exit', () => {
  it("the code is the server's [C-18]", async () => {
    const wrapped = start()
    wrapped.write(call(1, 'exit', { code: 42 }))
    expect(await wrapped.exit).toEqual({ code: 42, signal: null })
  })

  it('128 + signal where a signal ended it; open calls end as transport_error [C-18] [C-13]', async () => {
    for (const [signal, code] of [
      ['SIGKILL', 137],
      ['SIGSEGV', 139],
      ['SIGTERM', 143],
    ] as const) {
      const wrapped = start()
      wrapped.write(call(1, 'never') + call(2, 'die', { signal }))
      expect(await wrapped.exit).toEqual({ code, signal: null })
      expect(stage(wrapped.records(), 'completed').map(({ draft }) => draft.outcome)).toEqual([
        'transport_error',
        'transport_error',
      ])
      expect(wrapped.closed()).toBe('signal')
    }
  })

  it('calls that are being recorded while the server goes are completed too [C-13]', async () => {
    const wrapped = start(echoServer, { delayMs: 100 })
    wrapped.write(call(1, 'exit', { code: 4 }) + Array.from({ length: 20 }, (_, i) => call(i + 2, 'echo')).join(''))
    for (let wave = 0; wave < 10; wave++) {
      await new Promise((resolve) => setTimeout(resolve, 40))
      wrapped.write(call(`late ${wave}`, 'echo'))
    }
    expect((await wrapped.exit).code).toBe(4)
    const records = wrapped.records()
    const ids = (name: string) =>
      stage(records, name)
        .map(({ draft }) => draft.callId)
        .sort()
    expect(ids('requested').length).toBeGreaterThan(20)
    expect(ids('completed')).toEqual(ids('requested'))
  })

  it('a program that is not there is 127, one that may not run 126 [C-18]', async () => {
    expect((await start(['/nowhere/at/all']).exit).code).toBe(127)
    expect((await start(['/etc/passwd']).exit).code).toBe(126)
  })

  it('a server that has gone before we were ready loses nothing [C-1] [C-18]', async () => {
    const wrapped = start(
      ['sh', '-c', 'echo early; echo \'{"jsonrpc":"2.0","method":"notifications/message"}\'; exit 9'],
      {
        env: { WRAPPER_START_DELAY_MS: '500' },
      },
    )
    expect((await wrapped.exit).code).toBe(9)
    expect(wrapped.output().toString()).toBe('early\n{"jsonrpc":"2.0","method":"notifications/message"}\n')
    expect(wrapped.records().map(({ draft }) => draft.kind)).toEqual(['violation', 'notify'])
  })

  it('the last output of a server that has gone still arrives [C-1]', async () => {
    const wrapped = start(['sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" z; exit 5'])
    expect((await wrapped.exit).code).toBe(5)
    expect(wrapped.output().length).toBe(3_000_000)
  })
})

describe('signals', () => {
  it('are forwarded, and the server decides [C-18]', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const) {
      const wrapped = start(server('stubborn.mjs', 'report'))
      wrapped.write(initialize)
      await wrapped.lines(1)
      wrapped.process.kill(signal)
      expect((await wrapped.exit).code).toBe(30)
      expect(wrapped.errors()).toContain(`got ${signal}`)
    }
  })

  it('SIGUSR1 is forwarded, and opens no debugger in the wrapper [C-18] [C-40]', async () => {
    const wrapped = start(server('stubborn.mjs', 'ignore'))
    wrapped.write(initialize)
    await wrapped.lines(1)
    const before = listeningSockets(wrapped.process.pid)
    wrapped.process.kill('SIGUSR1')
    await eventually(() => wrapped.errors().includes('got SIGUSR1'))
    // Where Node opens its inspector, it does so within milliseconds of the signal, and says so on stderr.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(wrapped.errors()).not.toMatch(/debugger|inspector|ws:/i)
    expect(listeningSockets(wrapped.process.pid)).toEqual(before)
    wrapped.write(call(1, 'still there'))
    await wrapped.lines(2)
    wrapped.process.kill('SIGKILL')
  })

  it('a server that ignores SIGTERM stays, as it would without us [C-18]', async () => {
    const wrapped = start(server('stubborn.mjs', 'ignore'))
    wrapped.write(initialize)
    await wrapped.lines(1)
    wrapped.process.kill('SIGTERM')
    await eventually(() => wrapped.errors().includes('got SIGTERM'))
    wrapped.write(call(1, 'still there'))
    await wrapped.lines(2)
    wrapped.process.kill('SIGKILL')
  })
})

describe('no orphans', () => {
  it('grandchildren go with the server [C-19]', async () => {
    const wrapped = start(server('family.mjs'))
    const family = await familyOf(wrapped, 3)
    wrapped.write(call(1, 'exit'))
    expect((await wrapped.exit).code).toBe(0)
    await eventually(() => family.every((pid) => !isAlive(pid)))
  })

  it('grandchildren that ignore SIGTERM go too [C-19]', async () => {
    const wrapped = start(server('family.mjs', 'ignore'))
    const family = await familyOf(wrapped, 3)
    wrapped.write(call(1, 'exit'))
    expect((await wrapped.exit).code).toBe(0)
    await eventually(() => family.every((pid) => !isAlive(pid)))
  })

  it('all go when the client kills us with SIGKILL, stubborn ones too [C-19]', async () => {
    const wrapped = start(server('family.mjs', 'ignore'))
    const family = await familyOf(wrapped, 3)
    const guardians = guardiansOf(family[0] ?? 0)
    expect(guardians).toHaveLength(1)
    wrapped.process.kill('SIGKILL')
    await eventually(() => [...family, ...guardians].every((pid) => !isAlive(pid)))
  })

  it('no guardian stays behind an ordinary end [C-19]', async () => {
    const wrapped = start(server('family.mjs'))
    const [pid = 0] = await familyOf(wrapped, 3)
    const guardians = guardiansOf(pid)
    expect(guardians).toHaveLength(1)
    wrapped.write(call(1, 'exit'))
    await wrapped.exit
    await eventually(() => guardians.every((guardian) => !isAlive(guardian)))
  })
})

/** Processes that watch over the group of this pid. */
function guardiansOf(groupId: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!(pid > 0)) return false
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return command.includes('affidavit-guardian') && command.includes(String(groupId))
      } catch (error) {
        if (error instanceof Error && 'code' in error) return false
        throw error
      }
    })
}

describe('pipes', () => {
  it("a client that closes stdin closes the server's; everything is flushed in time [C-20]", async () => {
    const wrapped = start(echoServer, { delayMs: 100 })
    wrapped.write(
      `${initialize}{"jsonrpc":"2.0","method":"notifications/initialized"}\n${call(1, 'echo')}${call(2, 'never')}`,
    )
    await wrapped.lines(2)
    const closing = Date.now()
    wrapped.end()
    expect((await wrapped.exit).code).toBe(0)
    expect(Date.now() - closing).toBeLessThan(2000)
    const records = wrapped.records()
    expect(stage(records, 'completed').map(({ draft }) => draft.outcome)).toEqual([
      'success',
      'success',
      'transport_error',
    ])
    expect(records.some(({ draft }) => draft.kind === 'notify')).toBe(true)
    expect(wrapped.closed()).toBe('exit')
  })

  it('requests that stand in the pipe when it closes are still answered [C-20]', async () => {
    const wrapped = start()
    wrapped.write(Array.from({ length: 50 }, (_, i) => call(i, 'echo')).join(''))
    wrapped.end()
    expect((await wrapped.exit).code).toBe(0)
    expect(wrapped.output().toString().trim().split('\n')).toHaveLength(50)
  })

  it('a last line without newline is forwarded as it is, and recorded [C-1] [C-12]', async () => {
    const wrapped = start()
    wrapped.write(call(1, 'echo').trimEnd())
    wrapped.end()
    await wrapped.exit
    expect(JSON.parse(wrapped.output().toString())).toMatchObject({ id: 1, result: {} })
    expect(stage(wrapped.records(), 'requested')).toHaveLength(1)
  })

  it("a client that reads no more breaks the server's pipe, and may still call [C-21]", async () => {
    const wrapped = start(server('talks.mjs'))
    wrapped.write(call(1, 'one'))
    await eventually(() => wrapped.errors().includes('got 1'))
    wrapped.process.stdout?.destroy()
    await eventually(() => /stdout (EPIPE|ECONNRESET)/.test(wrapped.errors()))
    wrapped.write(call(2, 'two'))
    await eventually(() => wrapped.errors().includes('got 2'))
    wrapped.end()
    // 'close' waits for stdout, which nobody reads here.
    const code = await new Promise((resolve) => wrapped.process.on('exit', resolve))
    expect(code).toBe(7)
    const records = wrapped.records()
    expect(stage(records, 'requested')).toHaveLength(2)
    expect(stage(records, 'completed').map(({ draft }) => draft.outcome)).toEqual([
      'transport_error',
      'transport_error',
    ])
    expect(wrapped.closed()).toBe('exit')
  })

  it('a server that closes its stdout and lives lets the client see the end of input [C-33]', async () => {
    const wrapped = start(['sh', '-c', 'echo early; exec >&-; read x; exit 4'])
    const ended = new Promise((resolve) => wrapped.process.stdout?.on('end', resolve))
    await ended
    expect(wrapped.output().toString()).toBe('early\n')
    expect(wrapped.process.exitCode).toBe(null)
    wrapped.write(request(1, 'ping'))
    expect((await wrapped.exit).code).toBe(4)
    expect(stage(wrapped.records(), 'completed').map(({ draft }) => draft.outcome)).toEqual(['transport_error'])
    expect(wrapped.closed()).toBe('exit')
  })

  it('through a pipe of a shell too, which only closing the descriptor ends [C-33]', async () => {
    const pipeline = `exec ${process.execPath} --conditions=@affidavit/source ${join(import.meta.dirname, 'harness/wrapper.ts')} \
      sh -c 'exec >&-; read x; exit 4' | (cat; echo end of input >&2)`
    const wrapped = start([], { shell: pipeline })
    await eventually(() => wrapped.errors().includes('end of input'))
    expect(wrapped.process.exitCode).toBe(null)
    wrapped.write(request(1, 'ping'))
    await wrapped.exit
    expect(wrapped.closed()).toBe('exit')
  })

  it('nobody answers for a server that is gone, whether or not it ever started [C-34]', async () => {
    for (const [command, code] of [
      [['sh', '-c', 'exit 0'], 0],
      [['/nowhere/at/all'], 127],
    ] as const) {
      const wrapped = start(command, { env: { WRAPPER_START_DELAY_MS: '300' } })
      wrapped.failStages('requested')
      wrapped.write(request(1, 'ping'))
      expect((await wrapped.exit).code).toBe(code)
      expect(wrapped.output().toString()).toBe('')
      expect(wrapped.errors()).not.toContain('AFD_AUDIT_UNAVAILABLE')
    }
  })

  it("a server that closes its stdin breaks the client's pipe and keeps running [C-21]", async () => {
    const wrapped = start([
      'sh',
      '-c',
      'exec 0<&-; sleep 1; echo \'{"jsonrpc":"2.0","method":"notifications/message"}\'; sleep 0.5; exit 6',
    ])
    const broken = new Promise((resolve) => wrapped.process.stdin?.on('error', resolve))
    const writing = setInterval(() => wrapped.write(request(1, 'ping')), 50)
    onTestFinished(() => clearInterval(writing))
    expect(await broken).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) })
    clearInterval(writing)
    expect((await wrapped.exit).code).toBe(6)
    expect(wrapped.output().toString()).toContain('notifications/message')
  })

  it('a process that escaped the group and holds the pipe does not keep us [C-19]', async () => {
    const wrapped = start(['sh', '-c', 'setsid sleep 30 & echo "pid $!" >&2; exit 0'])
    await familyOf(wrapped, 1)
    const started = Date.now()
    // Its stderr is the wrapper's, so only the process itself can tell when it ended.
    await new Promise((resolve) => wrapped.process.on('exit', resolve))
    expect(Date.now() - started).toBeLessThan(5000)
  })
})

describe('environment', () => {
  it("the server gets the client's variables and nothing of ours [C-22]", async () => {
    const wrapped = start(echoServer, {
      env: { AFFIDAVIT_HOME: '/nowhere', KEPT: 'yes', NODE_OPTIONS: '--no-warnings' },
    })
    wrapped.write(call(1, 'environment'))
    const [line = ''] = await wrapped.lines(1)
    const { environment } = JSON.parse(line).result
    expect(environment).toMatchObject({ KEPT: 'yes', NODE_OPTIONS: '--no-warnings', PATH: process.env.PATH })
    expect(Object.keys(environment).filter((name) => name.startsWith('AFFIDAVIT_'))).toEqual([])
    wrapped.end()
    await wrapped.exit
  })

  it('large requests wait where nobody can read them [C-23]', async () => {
    const marker = 'a-marker-that-must-not-reach-a-disk'
    const wrapped = start(echoServer, { delayMs: 1500 })
    wrapped.write(call(1, 'size', { text: marker.repeat(400_000) }))
    const { pid } = wrapped.process
    const spilled = () =>
      readdirSync(`/proc/${pid}/fd`)
        .map((fd) => `/proc/${pid}/fd/${fd}`)
        .filter((path) => readLink(path).includes('/affidavit-') && readLink(path).endsWith('(deleted)'))
    await eventually(() => spilled().length === 1 && readFileSync(spilled()[0] ?? '').length > 14_000_000)
    expect(readFileSync(spilled()[0] ?? '').includes(marker.slice(0, 12))).toBe(false)
    await wrapped.lines(1)
    await eventually(() => spilled().length === 0)
    wrapped.end()
    await wrapped.exit
  })

  it('a temporary folder that is full refuses the request, not the session [C-4]', async () => {
    const wrapped = start(echoServer, { env: { TMPDIR: '/proc/nowhere' } })
    wrapped.write(call(1, 'size', { text: 'x'.repeat(6_000_000) }) + call(2, 'echo'))
    const [refused = '', answered = ''] = await wrapped.lines(2)
    expect(JSON.parse(refused)).toMatchObject({ id: 1, error: { code: -31001, data: { cause: 'AFD_HOLD_FAILED' } } })
    expect(JSON.parse(answered)).toMatchObject({ id: 2, result: {} })
    wrapped.end()
    await wrapped.exit
  })
})

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}

import { closeSync, openSync } from 'node:fs'
import type { CaptureLevel } from '@affidavit/evidence/record/kinds'
import type { PolicyInForce } from '../capture/ask-policy.ts'
import { Capture } from '../capture/capture.ts'
import type { CaptureContext, Emit } from '../capture/context.ts'
import type { Child, Exit } from '../capture/stdio/child.ts'
import type { Guardian } from '../capture/stdio/guardian.ts'
import { type Relay, startRelay } from '../capture/stdio/relay.ts'
import type { BaselineStore } from '../capture/tools/baseline-store.ts'
import type { ValueMarker } from '../capture/value-marks.ts'
import type { Classifier } from '../classify/classifier.ts'
import type { Redactor } from '../redact/redactor.ts'
import { diagnose } from './diagnostics.ts'
import { readStdioSituation, type StdioSituation } from './stdio-situation.ts'

/** Records of notifications are written this often. */
const flushIntervalMs = 1000
/** After the server and its group are gone, output that comes later belongs to a process that escaped them. */
const escapedOutputMs = 500
/** Clients send SIGKILL two seconds after SIGTERM: what is not durable by then will not be. */
const lastFlushMs = 1500

/** Where the records of a session go. */
export interface SessionRecorder {
  emit: Emit
  close(reason: 'exit' | 'signal'): Promise<void>
}

export interface SessionParts {
  child: Child
  guardian: Guardian | undefined
  recorder: SessionRecorder
  redactor: Redactor
  digest: CaptureContext['digest']
  marker?: ValueMarker
  baselines?: BaselineStore
  policy?: PolicyInForce
  classifier?: Classifier
  level: CaptureLevel
  serverName: string
  /** Read from the system alone where it is not given. */
  situation?: StdioSituation
}

/**
 * Relays between our stdin and stdout and the server's until the server is gone, and returns its exit code. The order at
 * the end: the server exits; what is left of its process group is ended; its last output is judged and let go, and our
 * stdout is closed; open calls get their outcome; the stream is closed.
 */
export async function superviseSession(parts: SessionParts): Promise<number> {
  const { child, recorder } = parts
  const { stdin, stdout, pid } = child.process
  if (stdin === null || stdout === null) throw new TypeError('the server was started without pipes')
  const { surroundings, origin, currentPosture } = parts.situation ?? readStdioSituation(pid, process.ppid)
  const capture = new Capture({
    ...parts,
    vantage: 'gateway',
    emit: (draft, sections) => recorder.emit(draft, sections),
    facts: surroundings.facts,
    currentPosture,
    diagnose,
  })
  const ours = { fromClient: process.stdin, toClient: process.stdout, breakClient: breakStdin }
  const ends = { ...ours, fromServer: stdout, toServer: stdin }
  const relay = startRelay(ends, capture, origin, reportDefect)
  relay.clientDone.then(() => capture.flush()).catch(reportDefect)
  // A server that nobody reads would hang for ever; better that the client sees it end.
  const drained = relay.serverDone.catch((error: unknown) => {
    reportDefect(error)
    child.process.kill('SIGKILL')
  })
  // Not only at the server's exit: a server may close its stdout and go on, and the client sees the end of input then.
  const stdoutDone = drained.then(() => endStdout(relay))
  const flushing = setInterval(() => void capture.flush(), flushIntervalMs)

  const exit = await child.exit
  await endServer(child, drained)
  clearInterval(flushing)
  await within(
    lastFlushMs,
    relay.clientSettled().then(() => finishRecords(parts, capture, exit)),
  )
  await stdoutDone
  process.stdin.destroy()
  parts.guardian?.dismiss()
  return exit.code
}

/**
 * libuv never closes descriptors 0 to 2, so destroying the stream alone would leave a client writing into a pipe that
 * nobody reads. The number is taken again at once, so that no file of ours ever becomes descriptor 0.
 */
function breakStdin(): void {
  if (process.stdin.destroyed) return
  process.stdin.destroy()
  if (process.platform === 'win32') return
  closeSync(0)
  openSync('/dev/null', 'r')
}

/** Everything for the client leaves, then it sees the end of its input. Number 1 is taken again, like 0 in breakStdin. */
async function endStdout(relay: Relay): Promise<void> {
  await relay.close()
  if (process.platform === 'win32') return
  closeSync(1)
  openSync('/dev/null', 'w')
}

async function endServer(child: Child, drained: Promise<void>): Promise<void> {
  await child.endGroup()
  // A process that left the group may hold the pipe open for ever. A pause means the client is slow, and keeps us here.
  for (let isDone = false; !isDone; ) {
    isDone = await within(escapedOutputMs, drained)
    if (!isDone && child.process.stdout?.isPaused() === false) child.process.stdout.destroy()
  }
}

async function finishRecords({ recorder }: SessionParts, capture: Capture, exit: Exit): Promise<void> {
  try {
    await capture.finish()
    await recorder.close(exit.signal === undefined ? 'exit' : 'signal')
  } catch (error) {
    // Nothing more can be done here: recovery finds the stream without its end, and says so in the log.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_STREAM_NOT_CLOSED', `the stream of records could not be closed (${code})`)
  }
}

/** Whether it settled in time. */
async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  const isDone = await Promise.race([work.then(() => true), late])
  clearTimeout(timer)
  return isDone
}

/** The message of an error may quote what a peer sent; its name, code and place do not. */
export function reportDefect(error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error
  const code = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : ''
  const place = error instanceof Error ? /\n\s+at (.*)/.exec(error.stack ?? '')?.[1] : undefined
  diagnose('AFD_DEFECT', `defect: ${name}${code}${place === undefined ? '' : ` at ${place}`}`)
}

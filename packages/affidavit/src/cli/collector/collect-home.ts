import type { Home } from '@affidavit/sensor/durable/home'
import type { StreamOutcome } from '@affidavit/sensor/ship/ship-stream'
import { createShipper, type Shipper } from '@affidavit/sensor/ship/shipper'
import type { ShipTarget } from '@affidavit/sensor/ship/target'
import { type SpoolWatch, watchSpool } from '@affidavit/sensor/ship/watch'
import type { Collector } from '../../collect/collector.ts'
import type { CrashHook } from '../../collect/crash-hook.ts'
import { recordRefusal, recoverStream } from '../../collect/recover.ts'
import type { Diagnostics } from './diagnostics.ts'
import { openHomeCollector } from './open.ts'
import { createOwnStream, type OwnStream } from './own-stream.ts'

/** How soon the death of a process is noticed. */
const pollMs = 1000
/** Watches may miss changes, so now and then everything is read without one. */
const readEveryPolls = 5
/**
 * Changes within this time are read in one pass. Every pass syncs files and a database on the disk that calls wait for, so
 * fewer and longer passes leave more of it to them; the price is how soon a record is in the log.
 */
const lingerMs = 250

export interface CollectHomeOptions {
  software: string
  /** Without a living stream for so long, it ends. */
  idleExitMs: number
  diagnostics: Diagnostics
  /** Asks for a graceful end. */
  signal: AbortSignal
  hook?: CrashHook
}

/**
 * Collects one home until idle or asked to end: ship, recover the dead, sequence, publish. Resolves when everything that
 * was read is in the log and its checkpoint is published. Rejects when the collector failed; the process must end then.
 */
export async function collectHome(home: Home, options: CollectHomeOptions): Promise<'idle' | 'signal'> {
  const { diagnostics, signal, software, hook } = options
  // The two need each other: refusals are written to the own stream, which the collector has to adopt.
  const own = createOwnStream(home, software, async (streamId) => (await opened).collector.adopt(streamId))
  const opened = openHomeCollector(
    home,
    async (streamId, refusal) => {
      diagnostics.write('stream_refused', `${streamId} at record ${refusal.seq}: ${refusal.code}: ${refusal.reason}`)
      await recordRefusal(own.append, streamId, refusal)
    },
    hook,
  )
  const { collector, close } = await opened
  const watch = watchSpool(home.paths.spool, lingerMs, (why) => diagnostics.write('watch_lost', why))
  const onAbort = () => watch.wake()
  signal.addEventListener('abort', onAbort)
  try {
    const shipper = createShipper({
      layer: home.layer,
      directory: home.paths.spool,
      target: toTarget(collector, signal),
      now: Date.now,
      random: Math.random,
    })
    const running = runPasses({ shipper, collector, own, watch }, options)
    // When the collector failed first, what becomes of the pass under way matters no more.
    running.catch(() => undefined)
    return await Promise.race([running, collector.failed])
  } finally {
    signal.removeEventListener('abort', onAbort)
    watch.close()
    close()
  }
}

function toTarget(collector: Collector, signal: AbortSignal): ShipTarget {
  return {
    submit: async (batch) =>
      signal.aborted
        ? { status: 'retry', code: 'collector_stopping', reason: 'the collector is ending' }
        : collector.submit(batch),
    position: async (streamId) => {
      const state = await collector.readStream(streamId)
      if (state === undefined) return undefined
      const ended = state.standing === 'closed' || state.standing === 'recovered'
      return { nextSeq: state.nextSeq, standing: ended ? 'ended' : state.standing === 'open' ? 'open' : 'refused' }
    },
    refuse: (streamId, refusal) => collector.refuse(streamId, refusal),
  }
}

interface Parts {
  shipper: Shipper
  collector: Collector
  own: OwnStream
  watch: SpoolWatch
}

async function runPasses(parts: Parts, { idleExitMs, signal, diagnostics }: CollectHomeOptions) {
  const { shipper, collector, own, watch } = parts
  const recovering = new Set<string>()
  let lastBusyMs = Date.now()
  let quietPolls = 0
  for (;;) {
    const pass = await shipper.pass(quietPolls % readEveryPolls === 0 ? 'all' : 'liveness')
    const others = [...pass.streams].filter(([streamId]) => !own.has(streamId))
    for (const [streamId, outcome] of others) await recoverDead(parts, recovering, { streamId, outcome }, diagnostics)
    if (others.some(([, { status }]) => status !== 'refused' && status !== 'done')) lastBusyMs = Date.now()
    const idleMs = Date.now() - lastBusyMs
    if (signal.aborted || idleMs >= idleExitMs) break
    const retryMs = pass.retryAtMs === undefined ? pollMs : Math.max(0, pass.retryAtMs - Date.now())
    const found = await watch.next(Math.min(pollMs, retryMs, idleExitMs - idleMs))
    quietPolls = found === 'changed' ? 0 : quietPolls + 1
  }
  const reason = signal.aborted ? 'signal' : 'idle'
  // The closing record stays in the spool when we are asked to end; the next collector ships it.
  await own.close(reason)
  if (!signal.aborted) await shipper.pass()
  await collector.published()
  return reason
}

async function recoverDead(
  { collector, own }: Parts,
  recovering: Set<string>,
  { streamId, outcome }: { streamId: string; outcome: StreamOutcome },
  diagnostics: Diagnostics,
): Promise<void> {
  if (outcome.status !== 'dead' || outcome.head === null || recovering.has(streamId)) return
  const calls = await collector.openCalls(streamId)
  recovering.add(streamId)
  try {
    await recoverStream(own.append, { head: outcome.head, tornBytes: outcome.tornBytes }, calls)
    diagnostics.write('stream_recovered', `${streamId} at record ${outcome.head.seq}, ${calls.length} calls unknown`)
  } catch (error) {
    // The spool is full or refuses writes: its streams stay where they are, and the next pass tries again.
    recovering.delete(streamId)
    diagnostics.write('recovery_failed', `${streamId}: ${String(error)}`)
  }
}

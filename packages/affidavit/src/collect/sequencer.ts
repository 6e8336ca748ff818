import type { EnrichedBatch } from './enrich.ts'
import { type Publisher, publish } from './publish.ts'
import { type Position, type SequenceParts, sequence } from './sequence.ts'

/** A step takes at most this many entries, so that nobody waits long for the first of them (sweep.ts relies on it). */
const stepEntriesMax = 8192
/** Under load a checkpoint appears at least this often. */
const publishIntervalMs = 1000
/** While little happens, so much passes between two, so that a lone call does not cost a signature each. */
const quietIntervalMs = 200

export interface Sequencer {
  /** Resolves when the batch is sequenced: durable and in the tree. Rejects when the collector failed. */
  add(batch: EnrichedBatch): Promise<void>
  /** Resolves when everything added so far is sequenced. */
  settled(): Promise<void>
  /** As settled, and its checkpoint is published. */
  published(): Promise<void>
  /** Rejects at the first failure, and never resolves: nothing may be sequenced after one. */
  failed: Promise<never>
  /** Makes it fail from outside, where what was admitted and what is sequenced part ways. */
  fail(cause: unknown): void
}

interface Waiting {
  batch: EnrichedBatch
  resolve(): void
}

/** Runs steps one after the other over whatever was added meanwhile, and publishes between them. */
export function createSequencer(parts: SequenceParts & Publisher, start: Position): Sequencer {
  let fail: (cause: unknown) => void = () => undefined
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  // Whoever runs the collector waits for it; a rejection before that is not unhandled.
  failed.catch(() => undefined)
  let waiting: Waiting[] = []
  let position = start
  let lastPublishedMs = 0
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const step = async () => {
    const taken = takeStep(waiting)
    waiting = waiting.slice(taken.length)
    position = await sequence(
      parts,
      position,
      taken.map(({ batch }) => batch),
    )
    for (const { resolve } of taken) resolve()
    if (Date.now() - lastPublishedMs >= publishIntervalMs) await publishNow()
  }
  const publishNow = async () => {
    clearTimeout(timer)
    timer = undefined
    await publish(parts)
    lastPublishedMs = Date.now()
  }
  /** Everything that touches tree or checkpoint goes through here, one at a time; after a failure nothing does. */
  const enqueue = (work: () => Promise<void>): Promise<void> => {
    running = running.then(work)
    running.catch(fail)
    return running
  }
  const publishLater = () => {
    const sinceMs = Date.now() - lastPublishedMs
    timer ??= setTimeout(() => void enqueue(publishNow).catch(() => undefined), Math.max(0, quietIntervalMs - sinceMs))
  }

  return {
    add: (batch) =>
      new Promise((resolve, reject) => {
        waiting.push({ batch, resolve })
        const stepped = enqueue(async () => {
          if (waiting.length > 0) await step()
          if (waiting.length === 0) publishLater()
        })
        stepped.catch(reject)
      }),
    settled: () => enqueue(async () => undefined),
    published: () => enqueue(publishNow),
    failed,
    fail,
  }
}

/** At least one batch, however large. */
function takeStep(waiting: readonly Waiting[]): Waiting[] {
  let entries = 0
  const end = waiting.findIndex(({ batch }, i) => {
    entries += batch.entries.length
    return i > 0 && entries > stepEntriesMax
  })
  return waiting.slice(0, end < 0 ? waiting.length : end)
}

import type { Acknowledgement } from '@affidavit/evidence/wire/batch'
import { delayAfter } from './backoff.ts'
import type { ReadBatch } from './batcher.ts'
import type { ShipContext, StreamOutcome, StreamProgress } from './ship-stream.ts'

/** Why a stream goes no further now. */
type Stop = StreamOutcome & { status: 'waiting' | 'refused' }

/** Submits a stream's batches in order, the next one while the last is on its way: reading and writing overlap. */
export interface Lane {
  /** Resolves when there is room for another batch, with the reason where an earlier one was not acknowledged. */
  send(read: ReadBatch | undefined): Promise<Stop | undefined>
  /** Resolves when every batch was answered. */
  settle(): Promise<Stop | undefined>
}

export function openLane(context: ShipContext, progress: StreamProgress): Lane {
  let last: Promise<Stop | undefined> = Promise.resolve(undefined)
  return {
    send: (read) => {
      if (read === undefined) return Promise.resolve(undefined)
      const previous = last
      const answered = context.target.submit(read.batch)
      last = Promise.all([previous, answered]).then(
        ([stop, answer]) => stop ?? onAnswer(context, progress, read, answer),
      )
      // Whoever sends or settles next hears of a failure.
      last.catch(() => undefined)
      return previous
    },
    settle: () => last,
  }
}

function onAnswer(
  { now, random }: ShipContext,
  progress: StreamProgress,
  read: ReadBatch,
  answer: Acknowledgement,
): Stop | undefined {
  switch (answer.status) {
    case 'acknowledged':
      progress.cursor = read.cursor
      progress.attempts = 0
      return undefined
    case 'refused':
      return { status: 'refused' }
    case 'retry':
      progress.attempts += 1
      progress.notBeforeMs = now() + delayAfter(progress.attempts, random)
      return { status: 'waiting' }
  }
}

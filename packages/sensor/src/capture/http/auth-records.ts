import type { AuthEvent } from '../../identity/admission.ts'
import type { CaptureContext } from '../context.ts'
import { type AuthEventSource, recordAuth } from '../record-auth.ts'

/** Who makes events, counts what is too much of them, and takes back what could not be recorded. */
export interface EventSource extends AuthEventSource {
  /** Refusals that were counted instead of told one by one. */
  drainRefusals(): AuthEvent[]
}

const countsEveryMs = 10_000

/** Records what a source tells, and every ten seconds what it counted. */
export function keepRecords(source: EventSource, context: CaptureContext) {
  let countedAtMs = Date.now()
  let isFinished = false
  const recordAll = (events: readonly AuthEvent[]) =>
    Promise.all(events.map((event) => recordAuth(event, source, context)))
  const recordCounts = async () => {
    countedAtMs = Date.now()
    await recordAll(source.drainRefusals())
  }
  return {
    async record(events: readonly AuthEvent[]): Promise<void> {
      await recordAll(events)
      if (isFinished) await recordCounts()
    },
    async sweep(): Promise<void> {
      if (Date.now() - countedAtMs >= countsEveryMs) await recordCounts()
    },
    async finish(): Promise<void> {
      isFinished = true
      await recordCounts()
    },
  }
}

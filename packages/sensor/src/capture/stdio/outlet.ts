import type { Capture } from '../capture.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import type { RequestOrigin } from '../origin.ts'
import type { Lane } from './lane.ts'
import type { Sink } from './pipe.ts'

/** Where the lines of one direction go: in order out of `lane` into `sink`; what goes back to the sender, by `reply`. */
export interface Outlet {
  direction: CapturedLine['direction']
  capture: Capture
  origin: RequestOrigin
  lane: Lane
  sink: Sink
  reply: (bytes: Uint8Array) => void
}

const passes: Verdict = { pass: true }

/** A line without records passes at once. */
export function judge(outlet: Outlet, line: CapturedLine): Promise<Verdict> {
  return outlet.capture.take(line) ?? Promise.resolve(passes)
}

/** Writes in order; waits where the receiver is slower than the sender. */
export async function writeAll(sink: Sink, ...parts: readonly (Uint8Array | undefined)[]): Promise<void> {
  for (const bytes of parts) {
    const wait = bytes === undefined ? undefined : sink.write(bytes)
    if (wait !== undefined) await wait
  }
}

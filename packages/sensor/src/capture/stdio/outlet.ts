import type { Capture } from '../capture.ts'
import type { Lane } from '../lane.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import type { RequestOrigin } from '../origin.ts'
import type { Sink } from '../sink.ts'

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

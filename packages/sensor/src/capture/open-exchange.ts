import { makeId } from './clock.ts'
import type { CaptureContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import type { ServerKnowledge } from './knowledge.ts'
import { type CapturedLine, requestDirection } from './line.ts'
import { type ScannedMessage, textOf } from './message.ts'
import { kindOf } from './methods.ts'
import { readCursor } from './tools/registry.ts'
import { viewerOf } from './tools/viewer.ts'

/** A request that has just been taken up. `key`: of its id (message.ts idKey). */
export function openExchange(
  { digest, level }: CaptureContext,
  { groups }: ServerKnowledge,
  { line, message, key }: { line: CapturedLine; message: ScannedMessage; key: string },
): Exchange {
  const method = textOf(message.spans.get('method')) ?? ''
  return {
    direction: requestDirection(line),
    key,
    method,
    kind: kindOf(method),
    callId: makeId(),
    callGroupId: groups.find(message),
    arrived: line.arrived,
    asked: { viewer: viewerOf(line.origin, digest), cursor: readCursor(message, 'params.cursor') },
    cancelledUs: undefined,
    receipt: undefined,
    classification: undefined,
    level,
    accessed: { resources: [], omitted: 0, classification: undefined },
  }
}

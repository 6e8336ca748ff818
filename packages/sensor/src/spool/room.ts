import type { Draft } from '@affidavit/evidence/record/header'
import { SpoolError } from './error.ts'
import { completedBytesMax, gapReserveBytes } from './limits.ts'

/**
 * Who may use the room that is left. A `completed` has what its `requested` reserved; `gap` and `stream` records have a
 * reserve that is kept for them; everything else takes what remains.
 */
export interface Room {
  /** Admitted and not yet handed to the file. */
  queuedBytes: number
  /** Reserved per open call. */
  reserved: Map<string, number>
  reservedBytes: number
}

export const emptyRoom = (): Room => ({ queuedBytes: 0, reserved: new Map(), reservedBytes: 0 })

/** What must fit in a segment besides what is written to it. */
export const carriedBytes = (room: Room) => room.queuedBytes + room.reservedBytes + gapReserveBytes

const isKept = (draft: Draft) => draft.kind === 'gap' || draft.kind === 'stream'
const stageOf = (draft: Draft) => ('stage' in draft ? draft.stage : undefined)
const callOf = (draft: Draft) => ('callId' in draft ? draft.callId : undefined)

/** What the call that this record completes has reserved. */
function heldFor(room: Room, draft: Draft): number {
  const callId = callOf(draft)
  return stageOf(draft) === 'completed' && callId !== undefined ? (room.reserved.get(callId) ?? 0) : 0
}

/** Whether a record's room was set aside before, so that it needs none of what is free. */
export function isReserved(room: Room, draft: Draft, bytes: number): boolean {
  return isKept(draft) || bytes <= heldFor(room, draft)
}

/** Whether the record fits into the free bytes of the segment without taking what others reserved. */
export function fits(room: Room, freeBytes: number, draft: Draft, bytes: number): boolean {
  const reserve = stageOf(draft) === 'requested' ? completedBytesMax : 0
  const kept = isKept(draft) ? gapReserveBytes : 0
  return bytes + reserve <= freeBytes - carriedBytes(room) + heldFor(room, draft) + kept
}

/** Throws SpoolError `too_many_open` where the record would open a call beyond this many. */
export function verifyMayOpen(room: Room, draft: Draft, openCallsMax: number): void {
  if (stageOf(draft) !== 'requested' || room.reserved.size < openCallsMax) return
  throw new SpoolError('too_many_open', `${openCallsMax} calls are open; wait until some of them have completed`)
}

/** Books the record in: it takes its room, and what it reserves or no longer needs. */
export function admit(room: Room, draft: Draft, bytes: number): void {
  room.queuedBytes += bytes
  const callId = callOf(draft)
  if (callId === undefined || stageOf(draft) === undefined) return
  room.reservedBytes -= room.reserved.get(callId) ?? 0
  room.reserved.delete(callId)
  if (stageOf(draft) !== 'requested') return
  room.reserved.set(callId, completedBytesMax)
  room.reservedBytes += completedBytesMax
}

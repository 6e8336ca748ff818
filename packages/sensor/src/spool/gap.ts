import type { Draft, Timestamp } from '@affidavit/evidence/record/header'
import type { Receipt, SpoolStream } from './stream.ts'

/** What could not be recorded since `from`, and where that was said. */
export interface Gap {
  gapId: string
  /** Why: the code of the first refusal. */
  code: string
  /** Calls that passed without a `requested`. */
  missingRequests: number
  /** Results that passed, or will, without a `completed`: those of the calls above, and others. */
  missingResponses: number
  /** Notifications, violations and changes without a record. */
  missingNotifications: number
  from: Timestamp
  to: Timestamp
  /** The stream that holds the gap's opening record; undefined as long as none does. */
  stream: SpoolStream | undefined
  /** Resolves when the opening record is durable. */
  opened: Promise<Receipt> | undefined
}

export function createGap(gapId: string, code: string): Gap {
  const now = new Date().toISOString()
  const counts = { missingRequests: 0, missingResponses: 0, missingNotifications: 0 }
  return { gapId, code, ...counts, from: now, to: now, stream: undefined, opened: undefined }
}

/** Books in what this draft would have said. A call that passes unrecorded will have no `completed` either. */
export function countMissing(gap: Gap, draft: Draft): void {
  gap.to = new Date().toISOString()
  if (!('stage' in draft)) gap.missingNotifications += 1
  else {
    gap.missingResponses += 1
    if (draft.stage === 'requested') gap.missingRequests += 1
  }
}

/** Takes back countMissing, for what was refused after all. */
export function uncountMissing(gap: Gap, draft: Draft): void {
  if (!('stage' in draft)) gap.missingNotifications -= 1
  else {
    gap.missingResponses -= 1
    if (draft.stage === 'requested') gap.missingRequests -= 1
  }
}

export const isEmpty = (gap: Gap) => gap.missingRequests + gap.missingResponses + gap.missingNotifications === 0

const openingOf = ({ gapId, code }: Gap): Draft => ({ kind: 'gap', detail: { event: 'opened', gapId, code } })

export function closingOf(gap: Gap): Draft {
  const { gapId, missingRequests, missingResponses, missingNotifications, from, to } = gap
  const counts = { missingRequests, missingResponses, missingNotifications }
  return { kind: 'gap', detail: { event: 'closed', gapId, ...counts, from, to } }
}

/** Makes the gap's opening record durable in this stream, once. */
export function openIn(gap: Gap, stream: SpoolStream): Promise<Receipt> {
  if (gap.stream === stream && gap.opened !== undefined) return gap.opened
  const opened = stream.append(openingOf(gap), {})
  gap.stream = stream
  gap.opened = opened
  // Who waits for it is told; whoever comes later tries again.
  opened.catch(() => {
    if (gap.opened === opened) gap.opened = undefined
  })
  return opened
}

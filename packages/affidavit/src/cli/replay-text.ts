import type { Disposition } from '@affidavit/evidence/record/kinds'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Replayed, ReplayedDecision } from '@affidavit/sensor/policy/replay'
import type { FetchedCall } from '../query/fetch.ts'
import { identityCell, toolCell } from './call-columns.ts'
import { formatCount, formatNumberOf } from './format.ts'

/** A call with what was decided on it, and what would be. */
export interface ReplayedCall {
  call: FetchedCall
  before: {
    decision: Disposition | 'approval_required'
    mode: 'observe' | 'enforce'
    policies: readonly string[]
    /** What had become of the approval that it needed. */
    approval?: string
  }
  after: Replayed | 'not_asked'
  isSame: boolean
}

export interface Totals {
  /** Calls that policies would be asked about. */
  asked: number
  same: number
  changed: number
  undecidable: number
  /** Handshakes, lists, what the server asked, and what others reported. */
  notAsked: number
  /** `granted -> denied` and the like. */
  changes: Record<string, number>
}

export function emptyTotals(): Totals {
  return { asked: 0, same: 0, changed: 0, undecidable: 0, notAsked: 0, changes: {} }
}

export function addTo(totals: Totals, { before, after, isSame }: ReplayedCall): void {
  if (after === 'not_asked') {
    totals.notAsked++
    return
  }
  totals.asked++
  if (after.decision === 'undecidable') totals.undecidable++
  else if (isSame) totals.same++
  else {
    totals.changed++
    const change = `${before.decision} -> ${after.decision}`
    totals.changes[change] = (totals.changes[change] ?? 0) + 1
  }
}

/** One line of `--json`. */
export function toReplayedObject({ call, before, after }: ReplayedCall): string {
  const { header } = call.requested
  const { decision, policies, lacks } = after === 'not_asked' ? notAsked : after
  return `${JSON.stringify({
    id: call.call.callId,
    time: header.time,
    server: header.server.name,
    tool: toolCell(call),
    actor: identityCell(call.call.fields),
    before,
    after: { decision, policies, ...(lacks.length === 0 ? {} : { lacks }) },
  })}\n`
}

const notAsked: Replayed = { decision: 'granted', policies: [], lacks: [] }

/** One line for people: when, which, who, and from what to what. */
export function replayedLine(replayed: ReplayedCall): string {
  const { call, before, after } = replayed
  const { header } = call.requested
  const { decision, policies, lacks } = after === 'not_asked' ? notAsked : after
  const by = policies.length === 0 ? '' : ` by ${policies.join(', ')}`
  const why =
    decision === 'undecidable'
      ? `: not on record: ${lacks.join(', ') || 'what it looks at'}${by && `, for${by.slice(3)}`}`
      : by
  const was = `${words[before.decision]}${before.mode === 'observe' && before.decision !== 'granted' ? ' (observe)' : ''}`
  const when = header.time.slice(0, 19).replace('T', ' ')
  const who = identityCell(call.call.fields)
  const line = `${when}  ${call.call.callId}  ${toolCell(call)} on ${header.server.name}  ${who}  ${was} -> ${words[decision]}${why}`
  return `${toPrintable(line)}\n`
}

const words: Record<ReplayedDecision | Disposition, string> = {
  granted: 'granted',
  denied: 'denied',
  undecided: 'undecided',
  approval_required: 'needs an approval',
  undecidable: 'cannot be told',
}

export function formatTotals({ asked, same, changed, undecidable, notAsked, changes }: Totals): string {
  const each = Object.entries(changes).map(([change, count]) => `  ${formatCount(count)} ${change}\n`)
  return [
    `${formatNumberOf(asked, 'call', 'calls')}: ${formatCount(same)} as before, ${formatCount(changed)} otherwise, `,
    `${formatCount(undecidable)} cannot be told`,
    notAsked === 0 ? '\n' : `; ${formatCount(notAsked)} put to no policy\n`,
    ...each,
  ].join('')
}

import type { Problem } from '@affidavit/evidence/verify/problem'
import { isContradiction } from '@affidavit/evidence/verify/problem'
import type { Verdict } from '@affidavit/evidence/verify/verdict'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Style, Terminal } from '@affidavit/sensor/cli/terminal'
import { formatAge, formatCount, formatNumberOf } from './format.ts'
import type { HomeVerdict } from './verify-home.ts'

const labelWidth = 12
const shownProblems = 10

/** The verdict for a person: both axes, the first thing that is wrong, what was looked at, what is not proven. */
export function* verdictLines(
  dir: string,
  { verdict, checked, notes }: HomeVerdict,
  terminal: Terminal,
): Generator<string> {
  const { integrity, time, checkpoint } = verdict
  const line = (name: string, text: string) => `${terminal.paint('bold', name.padEnd(labelWidth))}${text}`
  yield line('home', dir)
  yield line('log', checkpoint === null ? 'no checkpoint that could be believed' : describeLog(verdict))
  yield line(
    'integrity',
    `${terminal.paint(levelStyle(verdict), integrity.label.padEnd(11))} ${describeIntegrity(verdict)}`,
  )
  yield line(
    'time',
    `${terminal.paint(time.level === 'BOUNDED' ? 'green' : 'yellow', time.level.padEnd(11))} ${describeTime(verdict)}`,
  )
  yield line('checked', describeChecked(checked))
  yield* problemLines(verdict, terminal)
  for (const note of notes) yield `${terminal.paint('yellow', 'note'.padEnd(labelWidth))}${toPrintable(note)}`
  yield ''
  yield terminal.paint('bold', 'Not proven')
  for (const { text } of verdict.notProven) yield `  – ${text}`
}

function describeLog({ origin, checkpoint, counts }: Verdict): string {
  const { callsCompleted, callsOpen, callsRecovered } = counts
  const calls = [
    `${formatCount(callsCompleted)} completed`,
    ...(callsOpen > 0 ? [`${formatCount(callsOpen)} open`] : []),
    ...(callsRecovered > 0 ? [`${formatCount(callsRecovered)} with unknown outcome`] : []),
  ]
  return `${origin}, ${formatNumberOf(checkpoint?.size ?? 0, 'entry', 'entries')}; calls: ${calls.join(', ')}`
}

function levelStyle({ integrity, complete }: Verdict): Style {
  if (integrity.level === 'INVALID') return 'red'
  return complete ? 'green' : 'yellow'
}

function describeIntegrity({ integrity, problemCount, outside, beyond, complete }: Verdict): string {
  if (integrity.level === 'INVALID') return `${formatNumberOf(problemCount, 'problem', 'problems')} found`
  const rest = complete ? '' : '; not everything could be looked at'
  if (outside === null) return `every record, body and signature fits what the log key signed${rest}`
  const after = `${formatNumberOf(beyond.entries, 'entry', 'entries')}${beyond.seconds === null ? '' : ` and ${formatAge(beyond.seconds * 1000)}`}`
  return `extends a checkpoint of ${formatNumberOf(outside.size, 'entry', 'entries')} that is out of the log's reach; ${after} lie beyond it${rest}`
}

function describeTime({ time }: Verdict): string {
  return time.level === 'BOUNDED'
    ? `between ${time.notBefore} and ${time.notAfter}`
    : 'times are those of the clocks of this machine'
}

function describeChecked({
  entries,
  bodies,
  streams,
  spooledStreams,
  indexed,
  signedBy,
}: HomeVerdict['checked']): string {
  const index = indexed === undefined ? 'no index' : `index of ${formatNumberOf(indexed, 'entry', 'entries')}`
  const parts = [
    formatNumberOf(entries, 'entry', 'entries'),
    formatNumberOf(bodies, 'body', 'bodies'),
    formatNumberOf(streams, 'stream', 'streams'),
    `${formatCount(spooledStreams)} in the spool`,
    index,
    `key ${signedBy.join(', ') || 'none'}`,
  ]
  return parts.join(' · ')
}

function* problemLines({ problems, problemCount, firstBad }: Verdict, terminal: Terminal): Generator<string> {
  if (firstBad !== null)
    yield `${terminal.paint('red', 'first bad'.padEnd(labelWidth))}entry ${firstBad.index}: ${toPrintable(firstBad.why)} [${firstBad.code}]`
  for (const problem of problems.slice(0, shownProblems)) {
    const style = isContradiction(problem) ? 'red' : 'yellow'
    yield `${terminal.paint(style, 'problem'.padEnd(labelWidth))}${describeProblem(problem)}`
  }
  const rest = problemCount - Math.min(problems.length, shownProblems)
  if (rest > 0) yield `${''.padEnd(labelWidth)}and ${formatCount(rest)} more (--json lists them)`
}

function describeProblem({ code, message, index }: Problem): string {
  const entry = index === undefined || message.includes(`entry ${index}`) ? '' : `entry ${index}: `
  return `${entry}${toPrintable(message)} [${code}]`
}

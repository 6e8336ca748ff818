import { clientTitles, type Location } from '../install/locations.ts'
import { type FilePlan, isChanged, type PlannedServer } from '../install/planned.ts'
import { type Hunk, type Masker, previewChanges } from '../install/preview.ts'
import { leftReasons } from '../install/verdict.ts'
import type { ClientFiles } from './client-files.ts'
import { fitTo, toPrintable, widthOf } from './printable.ts'
import type { Style, Terminal } from './terminal.ts'
import { foldSource, hang, toWidth } from './text-layout.ts'

/** What `install` and `uninstall` say about their plans. Names come from files that others wrote: control characters are escaped. */
export interface PlanText {
  terminal: Terminal
  masker: Masker
  /** Shown as ~. */
  userFolder: string
}

export function shortPath(path: string, userFolder: string): string {
  const rest = path.slice(userFolder.length)
  return toPrintable(path.startsWith(userFolder) && /^[\\/]/.test(rest) ? `~${rest}` : path)
}

const nameWidthMax = 26
const actionWidth = 9

/** One block per file: its servers, what becomes of each, and why. */
export function* planLines(plans: readonly FilePlan[], text: PlanText): Generator<string> {
  for (const plan of plans) {
    if (plan.servers.length === 0) continue
    yield fileTitle(plan.location, text)
    const width = Math.min(nameWidthMax, Math.max(...plan.servers.map(({ name }) => widthOf(toPrintable(name)))))
    for (const server of plan.servers) yield* serverLines(server, width, text)
    if (
      plan.location.scope === 'project' &&
      isChanged(plan) &&
      plan.servers.some(({ verdict }) => verdict.state === 'wrap')
    )
      yield* hang(
        '  ! ',
        'This file belongs to the project: where others share it, they would need the same paths.',
        text.terminal.columns,
      )
    yield ''
  }
}

function fileTitle({ client, path }: Location, { terminal, userFolder }: PlanText): string {
  return `${terminal.paint('bold', clientTitles[client])}  ${terminal.paint('dim', shortPath(path, userFolder))}`
}

function* serverLines(server: PlannedServer, width: number, text: PlanText): Generator<string> {
  const { terminal } = text
  const [action, style] = actionOf(server)
  const lead = `  ${toWidth(toPrintable(server.name), width)}  ${terminal.paint(style, action.padEnd(actionWidth))}`
  const plainLead = `  ${' '.repeat(width)}  ${' '.repeat(actionWidth)}`
  const lines = detailLines(server, plainLead, text)
  yield* lines.map((line, i) => (i === 0 ? lead + line.slice(plainLead.length) : line))
}

function actionOf({ verdict }: PlannedServer): [string, Style] {
  switch (verdict.state) {
    case 'wrap':
      return ['wrap', 'green']
    case 'redirect':
      return ['gateway', 'green']
    case 'covered':
      return ['covered', 'dim']
    case 'unwrap':
      return ['unwrap', 'green']
    case 'restore':
      return ['direct', 'green']
    case 'left':
      return ['leave', 'yellow']
  }
}

/** A command line is cut to one line, a reason goes on for as long as it takes. */
function detailLines(server: PlannedServer, lead: string, { terminal, masker, userFolder }: PlanText): string[] {
  const columns = terminal.columns
  const project = server.project === undefined ? '' : ` (in ${shortPath(server.project, userFolder)})`
  const { verdict } = server
  if (verdict.state === 'left') return hang(lead, leftReasons[verdict.reason] + project, columns)
  if (verdict.state === 'covered')
    return hang(lead, (verdict.by === 'run' ? 'runs under affidavit' : 'goes through the gateway') + project, columns)
  const shown = server.words === undefined ? masker.url(server.url ?? '') : masker.words(server.words).join(' ')
  const line = toPrintable(shown) + project
  return [lead + (columns === undefined ? line : fitTo(line, Math.max(20, columns - widthOf(lead))))]
}

/** A unified diff of the changed entries, with the line numbers of the files and without the values of secrets. */
export function* diffLinesOf(plans: readonly FilePlan[], text: PlanText): Generator<string> {
  const { terminal, masker, userFolder } = text
  for (const plan of plans.filter(isChanged)) {
    const path = shortPath(plan.location.path, userFolder)
    yield terminal.paint('bold', `--- ${path}`)
    yield terminal.paint('bold', `+++ ${path}`)
    for (const hunk of previewChanges(plan, masker)) yield* hunkLines(hunk, terminal)
    yield ''
  }
}

export function* hunkLines({ server, oldStart, newStart, lines }: Hunk, terminal: Terminal): Generator<string> {
  const count = (sign: string) => lines.filter((line) => line.sign === ' ' || line.sign === sign).length
  yield terminal.paint('cyan', `@@ -${oldStart},${count('-')} +${newStart},${count('+')} @@ ${toPrintable(server)}`)
  for (const { sign, text } of lines) {
    const style = sign === '+' ? 'green' : 'red'
    const source = sign + toPrintable(text.replaceAll('\t', '    '))
    for (const line of foldSource(source, terminal.columns)) yield sign === ' ' ? line : terminal.paint(style, line)
  }
}

/** Files that are left alone because nobody can say what stands in them. */
export function* unreadableLines({ unreadable }: ClientFiles, { terminal, userFolder }: PlanText): Generator<string> {
  for (const { location, line, reason } of unreadable) {
    const where = shortPath(location.path, userFolder) + (line === undefined ? '' : `, line ${line}`)
    const sentence = `${clientTitles[location.client]}: ${where}: ${reason}. The file is left alone.`
    for (const [i, each] of hang('! ', sentence, terminal.columns).entries())
      yield i === 0 ? terminal.paint('red', '!') + each.slice(1) : each
  }
}

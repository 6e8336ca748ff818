import { clientTitles } from '../install/locations.ts'
import type { Masker } from '../install/preview.ts'
import type { Examination } from './doctor.ts'
import type { MachineFinding } from './doctor-machine.ts'
import type { Step } from './doctor-plan.ts'
import type { ServerFinding } from './doctor-servers.ts'
import { type PlanText, shortPath, unreadableLines } from './install-text.ts'
import { fitTo, toPrintable, widthOf } from './printable.ts'
import type { Style, Terminal } from './terminal.ts'
import { hang, plural, toWidth } from './text-layout.ts'

const styles: Readonly<Record<ServerFinding['state'], Style>> = { covered: 'green', uncovered: 'red', broken: 'red' }
const nameWidthMax = 26
const stateWidth = 11

export function* examinationLines(found: Examination, text: PlanText): Generator<string> {
  for (const group of byFile(found.servers)) yield* fileLines(group, text)
  const unreadable = [...unreadableLines(found.files, text)]
  yield* unreadable
  if (unreadable.length > 0) yield ''
  yield text.terminal.paint('bold', 'This machine')
  for (const finding of found.machine) yield* machineLines(finding, text)
  yield* processLines(found, text)
  yield ''
  yield* verdictLines(found, text.terminal)
}

function byFile(servers: readonly ServerFinding[]): ServerFinding[][] {
  const groups = new Map<string, ServerFinding[]>()
  for (const finding of servers) {
    const key = finding.reason === 'extension' ? 'extensions' : finding.location.path
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  return [...groups.values()]
}

function* fileLines(group: readonly ServerFinding[], { terminal, userFolder }: PlanText): Generator<string> {
  const [first] = group
  if (first === undefined) return
  const place = first.reason === 'extension' ? 'extensions' : shortPath(first.location.path, userFolder)
  yield `${terminal.paint('bold', clientTitles[first.location.client])}  ${terminal.paint('dim', place)}`
  const width = Math.min(nameWidthMax, Math.max(...group.map(({ server }) => widthOf(toPrintable(server.name)))))
  for (const { server, state, text } of group) {
    const plainLead = `  ${toWidth(toPrintable(server.name), width)}  ${state.padEnd(stateWidth)}`
    const project = server.project === undefined ? '' : ` (in ${shortPath(server.project, userFolder)})`
    const [head = '', ...rest] = hang(plainLead, toPrintable(text) + project, terminal.columns)
    yield `${plainLead.slice(0, -stateWidth)}${terminal.paint(styles[state], state.padEnd(stateWidth))}${head.slice(plainLead.length)}`
    yield* rest
  }
  yield ''
}

function* machineLines({ check, state, text }: MachineFinding, { terminal, userFolder }: PlanText): Generator<string> {
  const lead = `  ${check.padEnd(10)}  `
  const [head = '', ...rest] = hang(lead, shortPath(text, userFolder), terminal.columns)
  const style: Style | undefined = state === 'bad' ? 'red' : state === 'note' ? 'yellow' : undefined
  const paint = (line: string) => (style === undefined ? line : terminal.paint(style, line))
  yield lead + paint(head.slice(lead.length))
  for (const line of rest) yield paint(line)
}

const processesShown = 10

function* processLines({ processes }: Examination, { terminal, masker }: PlanText): Generator<string> {
  const lead = `  ${'processes'.padEnd(10)}  `
  if (processes === undefined) {
    yield* hang(lead, 'not looked at: this platform does not tell', terminal.columns)
    return
  }
  const guess = 'a guess from command lines'
  if (processes.length === 0) {
    yield* hang(lead, `none looks like an MCP server outside affidavit (${guess})`, terminal.columns)
    return
  }
  yield* hang(
    lead,
    `${plural(processes.length, 'looks like an MCP server', 'look like MCP servers')} outside affidavit (${guess}):`,
    terminal.columns,
  )
  for (const { pid, words } of processes.slice(0, processesShown)) yield showProcess(pid, words, { terminal, masker })
  if (processes.length > processesShown) yield `${' '.repeat(lead.length)}and ${processes.length - processesShown} more`
}

function showProcess(
  pid: number,
  words: readonly string[],
  { terminal, masker }: { terminal: Terminal; masker: Masker },
): string {
  const line = `${' '.repeat(14)}${String(pid).padEnd(8)}${toPrintable(masker.words(words).join(' '))}`
  return terminal.columns === undefined ? line : fitTo(line, terminal.columns)
}

function* verdictLines({ servers }: Examination, terminal: Terminal): Generator<string> {
  const covered = servers.filter(({ state }) => state === 'covered').length
  const broken = servers.filter(({ state }) => state === 'broken').length
  const all = covered === servers.length
  const text =
    servers.length === 0
      ? 'No MCP server is configured in the files that were looked into.'
      : `${covered} of ${plural(servers.length, 'server is', 'servers are')} covered${broken === 0 ? '' : `, ${broken} broken`}.`
  const remedy = all ? '' : " 'affidavit doctor --plan' says what to do first."
  for (const line of hang('', text + remedy, terminal.columns)) yield terminal.paint(all ? 'green' : 'red', line)
  const unseen =
    'Not looked at: servers that plugins, editor extensions and account connectors bring, other clients, other users.'
  for (const line of hang('', unseen, terminal.columns)) yield terminal.paint('dim', line)
}

/** `folder` is the one a bare `affidavit install` would look into. */
export function* stepLines(
  steps: readonly Step[],
  { terminal, folder }: { terminal: Terminal; folder: string },
): Generator<string> {
  if (steps.length === 0) {
    yield 'Nothing to do.'
    return
  }
  for (const [i, { text, command }] of steps.entries()) {
    const lead = `${String(i + 1).padStart(2)}. `
    yield* hang(lead, toPrintable(text), terminal.columns)
    if (command !== undefined) yield `      ${terminal.paint('cyan', toPrintable(command))}`
  }
  const together = steps.flatMap(({ covers }, i) => (covers !== undefined && isHere(covers, folder) ? [i + 1] : []))
  if (together.length < 2) return
  yield ''
  yield* hang('', `Steps ${together.join(', ')} at once:`, terminal.columns)
  yield `      ${terminal.paint('cyan', 'affidavit install')}`
}

function isHere({ location }: ServerFinding, folder: string): boolean {
  return location.scope === 'user' || location.path.startsWith(folder)
}

import { clientTitles } from '../install/locations.ts'
import { rankRisk } from '../install/risk.ts'
import type { LeftReason } from '../install/verdict.ts'
import type { Examination } from './doctor.ts'
import type { MachineFinding } from './doctor-machine.ts'
import type { ServerFinding } from './doctor-servers.ts'

/** One thing to do, why, and what to type where a command does it. */
export interface Step {
  /** Higher first: 10 and more for what fails now, below for what goes unrecorded. */
  score: number
  text: string
  command?: string
  /** The server that a bare `affidavit install` would cover. */
  covers?: ServerFinding
}

/** What to do, most urgent first: what fails, then what goes unrecorded by how much it can do, then what is worth a look. */
export function planSteps({ servers, machine, files, processes }: Examination): Step[] {
  const steps = [
    ...machine.flatMap(machineStep),
    ...servers.filter(({ state }) => state !== 'covered').map(serverStep),
    ...files.unreadable.map(
      ({ location, line, reason }): Step => ({
        score: 6,
        text: `Correct ${location.path}${line === undefined ? '' : `, line ${line}`}: ${reason}. Nobody knows which servers it names.`,
      }),
    ),
  ]
  if (processes !== undefined && processes.length > 0)
    steps.push({
      score: 0.5,
      text: 'Restart the clients whose servers were started before affidavit: they run on unrecorded.',
    })
  return steps.sort((one, other) => other.score - one.score)
}

const machineSteps: Readonly<Record<MachineFinding['check'], { score: number; command?: string }>> = {
  home: { score: 20 },
  disk: { score: 19 },
  gateway: { score: 18, command: 'affidavit up' },
  collector: { score: 1 },
  copies: { score: 0.4 },
}

function machineStep({ check, state, text }: MachineFinding): Step[] {
  if (state === 'good') return []
  const { score, command } = machineSteps[check]
  const shown = `${check[0]?.toUpperCase()}${check.slice(1)}: ${text}.`
  return [{ score: state === 'note' ? score / 20 : score, text: shown, ...(command === undefined ? {} : { command }) }]
}

function serverStep(finding: ServerFinding): Step {
  const { server, location, state, text, reason } = finding
  const who = `${quote(server.name)} of ${clientTitles[location.client]}`
  const target = targetOf(finding)
  if (state === 'broken')
    return {
      score: 15,
      text: `Repair ${who}: ${text}.`,
      command: `affidavit uninstall ${target} && affidavit install ${target}`,
    }
  const { score, why } = rankRisk(server)
  if (reason === 'not_installed')
    return { score, text: `Cover ${who}: ${why}.`, command: `affidavit install ${target}`, covers: finding }
  if (reason === 'maybe_oauth')
    return {
      score,
      text: `Cover ${who} if it takes calls without signing in: ${why}.`,
      command: `affidavit install --probe ${target}`,
    }
  // Slightly later than what a command can do.
  return { score: score - 0.1, text: `Decide about ${who}: ${why}. ${adviceFor(reason)}` }
}

const advice: Readonly<Partial<Record<LeftReason | 'extension', string>>> = {
  managed: 'Ask the administrator to put affidavit run in front of its command.',
  sse: 'See whether it also has a Streamable HTTP address, and use that one.',
  blank_command: 'Put the arguments of its command into args.',
  sandboxed: 'Outside the sandbox it can be recorded; inside it cannot.',
  debugged: 'Take dev.debug out to have it recorded.',
  oauth: 'A gateway that takes its public URL can record it, or the server itself can.',
  extension: 'As an entry of the configuration file it can be recorded; as an extension it cannot.',
  written_twice: 'Take one of the two out of the file.',
  placeholder_url: 'With a fixed URL it can be recorded.',
}

function adviceFor(reason: string): string {
  return Object.entries(advice).find(([key]) => key === reason)?.[1] ?? 'Correct its entry.'
}

function targetOf({ location, server }: ServerFinding): string {
  const project = location.scope === 'project' ? projectOf(location.path) : server.project
  const folder = project === undefined ? '' : ` --project ${quoteWord(project)}`
  return `--client ${location.client} --server ${quoteWord(server.name)}${folder}`
}

/** The folder that holds `.mcp.json`, `.cursor/mcp.json` or `.vscode/mcp.json`. */
function projectOf(path: string): string {
  return path.replace(/[\\/](?:\.mcp\.json|\.cursor[\\/][^\\/]+|\.vscode[\\/][^\\/]+)$/, '')
}

function quote(name: string): string {
  return `'${name}'`
}

/** Fit for a shell to paste into. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

import { resolveHome } from '../durable/home.ts'
import type { ProcessFacts } from '../install/processes.ts'
import type { ClientFiles } from './client-files.ts'
import { checkMachine, isBarredFrom, type MachineFinding, uncoveredProcesses } from './doctor-machine.ts'
import { planSteps } from './doctor-plan.ts'
import { judgeAll, readAllFiles, type ServerFinding } from './doctor-servers.ts'
import { examinationLines, stepLines } from './doctor-text.ts'
import { doctorHelp } from './install-help.ts'
import { toId, writeUnreadable } from './install-json.ts'
import { memoryFolder, readMemory } from './install-memory.ts'
import { type InstallArguments, parseInstallArguments } from './install-options.ts'
import type { PlanText } from './install-text.ts'
import { openUpstreams, toUpstreams } from './install-upstreams.ts'
import { createMasker } from './mask-words.ts'
import { exitCodes, runInWorld, type World } from './world.ts'

/** What `doctor` found. Processes are undefined where the platform does not tell. */
export interface Examination {
  servers: ServerFinding[]
  files: ClientFiles
  machine: MachineFinding[]
  processes: ProcessFacts[] | undefined
}

/** `affidavit doctor`. Returns the exit code. */
export function doctor(argv: readonly string[]): Promise<number> {
  return runInWorld(async (world) => {
    const args = parseInstallArguments('doctor', argv, world.folder)
    if (args === 'help') {
      await world.stdout.write(doctorHelp)
      return exitCodes.done
    }
    const found = await examine(args, world)
    await (args.json ? writeFound(found, args, world) : writeText(found, args, world))
    return exitCodeOf(found)
  })
}

async function examine(args: InstallArguments, world: World): Promise<Examination> {
  const home = resolveHome({ flag: args.home, env: world.env })
  const folder = memoryFolder(home)
  // A home folder that this user may not read is a finding, not the end.
  const isBarred = await isBarredFrom(home)
  const memory = isBarred ? { files: [] } : await readMemory(folder)
  const upstreams = isBarred ? toUpstreams(home, undefined) : await openUpstreams(home)
  const files = await readAllFiles(args, world, memory)
  const servers = judgeAll(args, world, { files, upstreams })
  const usesGateway = servers.some(({ reason }) => reason === 'gateway' || reason === 'no_upstream')
  const isWhole = args.clients.length === 0 && args.servers.length === 0 && args.project === undefined
  const covered = servers.filter(({ state }) => state !== 'uncovered').map(({ location }) => location.path)
  const coveredFiles = isWhole ? new Set(covered) : undefined
  const machine = await checkMachine({ home, upstreams, memory, folder, usesGateway, coveredFiles })
  return { servers, files, machine, processes: await uncoveredProcesses() }
}

/** Nothing is called covered while something could not be looked at. */
function exitCodeOf({ servers, files, machine, processes }: Examination): number {
  if (files.unreadable.length > 0) return exitCodes.impossible
  const isWell = servers.every(({ state }) => state === 'covered') && machine.every(({ state }) => state !== 'bad')
  return isWell && (processes ?? []).length === 0 ? exitCodes.done : exitCodes.negative
}

async function writeText(found: Examination, args: InstallArguments, world: World): Promise<void> {
  const text: PlanText = { terminal: world.stdout, masker: createMasker(), userFolder: world.userFolder }
  const lines = args.plan
    ? stepLines(planSteps(found), { terminal: world.stdout, folder: world.folder })
    : examinationLines(found, text)
  for (const line of lines) await world.stdout.write(`${line}\n`)
}

/** One object per server, check and process, each with an `id`; with --plan one per step. No value of a file is in it. */
async function writeFound(found: Examination, { plan }: InstallArguments, { stdout }: World): Promise<void> {
  const write = (row: object) => stdout.write(`${JSON.stringify(row)}\n`)
  if (plan) {
    for (const [i, { text, command }] of planSteps(found).entries())
      await write({ id: `step:${i + 1}`, text, ...(command === undefined ? {} : { command }) })
    return
  }
  for (const { location, server, state, reason, text } of found.servers) {
    const { client, scope, path } = location
    const project = server.project === undefined ? {} : { project: server.project }
    await write({
      id: toId(path, server.path),
      client,
      scope,
      file: path,
      server: server.name,
      ...project,
      transport: server.transport,
      state,
      reason,
      text,
    })
  }
  await writeUnreadable(stdout, found.files)
  for (const { check, state, text } of found.machine) await write({ id: `machine:${check}`, check, state, text })
  const masker = createMasker()
  for (const { pid, words } of found.processes ?? [])
    await write({ id: `process:${pid}`, pid, state: 'uncovered', reason: 'guess', text: masker.words(words).join(' ') })
}

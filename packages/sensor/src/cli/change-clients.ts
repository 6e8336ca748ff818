import { resolveHome } from '../durable/home.ts'
import { clientTitles, type Location } from '../install/locations.ts'
import { type FilePlan, isChanged } from '../install/planned.ts'
import type { Applied, ApplyContext } from './apply-plans.ts'
import { type ClientFiles, readClientFiles } from './client-files.ts'
import { mayChange } from './install-confirm.ts'
import { writeJson } from './install-json.ts'
import { memoryFolder, readMemory } from './install-memory.ts'
import { type InstallArguments, parseInstallArguments } from './install-options.ts'
import { diffLinesOf, type PlanText, planLines, shortPath, unreadableLines } from './install-text.ts'
import { openUpstreams } from './install-upstreams.ts'
import { createMasker } from './mask-words.ts'
import { hang, plural, toText } from './text-layout.ts'
import { exitCodes, runInWorld, type World } from './world.ts'

/** What a change is planned from. */
export interface ChangeContext extends ApplyContext {
  args: InstallArguments
  world: World
  home: string
  files: ClientFiles
  text: PlanText
}

/** What sets `install` and `uninstall` apart. Lines are for people. */
export interface ChangeVerb {
  name: 'install' | 'uninstall'
  help: string
  locations(context: Omit<ChangeContext, 'files'>): Location[]
  plan(context: ChangeContext): Promise<FilePlan[]> | FilePlan[]
  /** Behind the diffs of the clients' files. */
  diffLines(plans: readonly FilePlan[], context: ChangeContext): Iterable<string>
  /** What one should know before one answers, each a sentence. */
  warnings(plans: readonly FilePlan[], context: ChangeContext): Iterable<string>
  sayNothing(plans: readonly FilePlan[]): string
  /** `count`, e.g. `3 servers in 2 files`. */
  ask(count: string): string
  apply(plans: readonly FilePlan[], context: ApplyContext): Promise<Applied[]>
  /** `clients`, e.g. `Cursor, VS Code`. */
  doneLines(
    done: { plans: readonly FilePlan[]; count: string; clients: string },
    context: ChangeContext,
  ): Iterable<string>
  /** Whether servers that are left mean that it could not do what it was asked for. */
  leavesAreFailures: boolean
}

/** Reads clients' files, shows what would become of them, asks, and changes them. Returns the exit code. */
export function changeClients(verb: ChangeVerb, argv: readonly string[]): Promise<number> {
  return runInWorld(async (world) => {
    const args = parseInstallArguments(verb.name, argv, world.folder)
    if (args === 'help') {
      await world.stdout.write(verb.help)
      return exitCodes.done
    }
    const context = await openContext(verb, args, world)
    const plans = await verb.plan(context)
    if (!args.json) await world.stdout.write(toText([...describePlans(verb, plans, context)]))
    const applied = await carryOut(verb, plans, context)
    if (applied === 'refused') return exitCodes.negative
    if (args.json) await writeJson(world.stdout, { plans, files: context.files, applied })
    return exitCodeOf(verb, { plans, applied }, context)
  })
}

async function openContext(verb: ChangeVerb, args: InstallArguments, world: World): Promise<ChangeContext> {
  const home = resolveHome({ flag: args.home, env: world.env })
  const folder = memoryFolder(home)
  const text: PlanText = { terminal: world.stdout, masker: createMasker(), userFolder: world.userFolder }
  const opened = {
    args,
    world,
    home,
    folder,
    memory: await readMemory(folder),
    upstreams: await openUpstreams(home),
    text,
  }
  return { ...opened, files: await readClientFiles(verb.locations(opened)) }
}

/** What one decides by stands last, next to the question. */
function* describePlans(verb: ChangeVerb, plans: readonly FilePlan[], context: ChangeContext): Generator<string> {
  const { text, files } = context
  yield* diffLinesOf(plans, text)
  yield* verb.diffLines(plans, context)
  yield* planLines(plans, text)
  const warnings = [...verb.warnings(plans, context)].flatMap((warning) => hang('! ', warning, text.terminal.columns))
  const last = [...warnings, ...unreadableLines(files, text)]
  yield* last
  if (last.length > 0) yield ''
}

async function carryOut(
  verb: ChangeVerb,
  plans: readonly FilePlan[],
  context: ChangeContext,
): Promise<Applied[] | 'refused'> {
  const { args, world } = context
  const say = (line: string) => (args.json ? Promise.resolve() : world.stdout.write(`${line}\n`))
  const changed = plans.filter(isChanged)
  if (changed.length === 0 || args.dryRun) {
    await say(changed.length === 0 ? verb.sayNothing(plans) : 'Dry run: nothing was changed.')
    return []
  }
  if (!(await mayChange(args, world, verb.ask(count(changed))))) return 'refused'
  const applied = await verb.apply(plans, context)
  for (const line of describeApplied(verb, applied, context)) await say(line)
  return applied
}

function* describeApplied(verb: ChangeVerb, applied: readonly Applied[], context: ChangeContext): Generator<string> {
  const { terminal, userFolder } = context.text
  for (const { plan, failure } of applied)
    if (failure !== undefined)
      yield* hang('! ', `${shortPath(plan.location.path, userFolder)}: ${failure}.`, terminal.columns)
  const plans = applied.filter(({ failure }) => failure === undefined).map(({ plan }) => plan)
  if (plans.length === 0) return
  const clients = [...new Set(plans.map(({ location }) => clientTitles[location.client]))].join(', ')
  for (const line of verb.doneLines({ plans, count: count(plans), clients }, context))
    yield* hang('', line, terminal.columns)
}

function count(plans: readonly FilePlan[]): string {
  const servers = plans.reduce((sum, { entries }) => sum + entries.length, 0)
  return `${plural(servers, 'server', 'servers')} in ${plural(plans.length, 'file', 'files')}`
}

function exitCodeOf(
  verb: ChangeVerb,
  { plans, applied }: { plans: readonly FilePlan[]; applied: readonly Applied[] },
  { files }: ChangeContext,
): number {
  const isLeft = plans.some(({ servers }) => servers.some(({ verdict }) => verdict.state === 'left'))
  const isFailed = applied.some(({ failure }) => failure !== undefined) || files.unreadable.length > 0
  return isFailed || (verb.leavesAreFailures && isLeft) ? exitCodes.impossible : exitCodes.done
}

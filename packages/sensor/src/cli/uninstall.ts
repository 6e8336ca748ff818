import type { Location } from '../install/locations.ts'
import { type FilePlan, isChanged } from '../install/planned.ts'
import { planUninstall } from '../install/undo.ts'
import { applyUninstall } from './apply-plans.ts'
import { type ChangeContext, type ChangeVerb, changeClients } from './change-clients.ts'
import { isAsked, locationsFor, selectsFor } from './client-files.ts'
import { uninstallHelp } from './install-help.ts'
import { hashOf, recallFile } from './install-memory.ts'
import { shortPath } from './install-text.ts'

/** `affidavit uninstall`. Returns the exit code. */
export function uninstall(argv: readonly string[]): Promise<number> {
  return changeClients(verb, argv)
}

const verb: ChangeVerb = {
  name: 'uninstall',
  help: uninstallHelp,
  locations: locationsToUndo,
  plan: planFiles,
  diffLines: () => [],
  warnings: editedFiles,
  sayNothing: () => 'Nothing to do: no server is started or reached through affidavit.',
  ask: (count) => `Take affidavit out of ${count}?`,
  apply: applyUninstall,
  doneLines: ({ count, clients }) => [
    `Took affidavit out of ${count}. Restart ${clients}. Records stay in the home folder.`,
  ],
  leavesAreFailures: true,
}

/** Files of other projects too, where `install` was there. */
function locationsToUndo({ args, world, memory }: Omit<ChangeContext, 'files'>): Location[] {
  const here = locationsFor(args, world)
  if (args.project !== undefined) return here
  return [...here, ...memory.files.map(({ location }) => location).filter((location) => isAsked(args, location))]
}

function planFiles({ args, memory, upstreams, files }: ChangeContext): FilePlan[] {
  return files.readable.map(({ location, document }) =>
    planUninstall(location, document, {
      surroundings: { gatewayOrigin: upstreams.origin, wantsOAuth: new Map() },
      selects: selectsFor(args),
      memories: recallFile(memory, location.path)?.entries ?? [],
      upstreamUrl: upstreams.urlOf,
    }),
  )
}

function* editedFiles(plans: readonly FilePlan[], { memory, text }: ChangeContext): Generator<string> {
  for (const { location, before } of plans.filter(isChanged)) {
    const kept = recallFile(memory, location.path)
    if (kept !== undefined && kept.after !== hashOf(before))
      yield `${shortPath(location.path, text.userFolder)} was edited since: only affidavit's entries are undone.`
  }
}

import { existsSync } from 'node:fs'
import { resolveHome } from '../durable/home.ts'
import { planInstall } from '../install/plan.ts'
import type { FilePlan } from '../install/planned.ts'
import { shimFor } from '../install/shim.ts'
import { applyInstall } from './apply-plans.ts'
import { type ChangeContext, type ChangeVerb, changeClients } from './change-clients.ts'
import { locationsFor, selectsFor } from './client-files.ts'
import { installHelp } from './install-help.ts'
import { shortPath } from './install-text.ts'
import { toPrintable } from './printable.ts'
import { probeAll, urlsToProbe } from './probe.ts'
import { findRunner, wordsFor } from './runner.ts'
import { plural } from './text-layout.ts'

/** `affidavit install`. Returns the exit code. */
export function install(argv: readonly string[]): Promise<number> {
  return changeClients(verb, argv)
}

const verb: ChangeVerb = {
  name: 'install',
  help: installHelp,
  locations: ({ args, world }) => locationsFor(args, world),
  plan: planFiles,
  diffLines: upstreamLines,
  warnings: installWarnings,
  sayNothing,
  ask: (count) => `Change ${count}?`,
  apply: applyInstall,
  *doneLines({ plans, count, clients }, { upstreams }) {
    yield `Changed ${count}. Restart ${clients}: servers that run now are not recorded yet.`
    if (plans.some(({ entries }) => entries.some((entry) => 'upstream' in entry)))
      yield `HTTP servers are reached through the gateway at ${new URL(upstreams.origin).host}: keep 'affidavit up' running.`
    yield "Check with 'affidavit doctor', undo with 'affidavit uninstall'."
  },
  leavesAreFailures: false,
}

async function planFiles({ args, world, home, upstreams, files }: ChangeContext): Promise<FilePlan[]> {
  const wantsOAuth = args.probe ? await probeAll(urlsToProbe(files, upstreams.origin)) : new Map<string, boolean>()
  const { env, platform } = world
  const path = env.PATH ?? ''
  const runner = findRunner({ given: args.command, node: process.execPath, script: process.argv[1], path })
  // Clients with windows have no environment of a shell: what is not where they would look for it has to be said.
  const spoken = home === resolveHome({ env: {} }) ? undefined : home
  return files.readable.map(({ location, document }) =>
    planInstall(location, document, {
      surroundings: { gatewayOrigin: upstreams.origin, wantsOAuth },
      selects: selectsFor(args),
      wrapWords: (server, command) =>
        wordsFor(runner, { home: spoken, shim: shimFor(command, { platform, env, exists: existsSync }) }, server),
      claimUpstream: (server, client, url) => upstreams.claim(server, client, url),
    }),
  )
}

/** The gateway's configuration, as a diff. */
function* upstreamLines(_plans: readonly FilePlan[], { upstreams, text }: ChangeContext): Generator<string> {
  const { terminal, masker, userFolder } = text
  const { path, added, urlOf } = upstreams
  const shown = shortPath(path, userFolder)
  if (added.length === 0) return
  yield terminal.paint('bold', `--- ${shown}`)
  yield terminal.paint('bold', `+++ ${shown}`)
  yield terminal.paint('cyan', '@@ upstreams @@')
  for (const name of added)
    for (const line of [`  ${name}:`, `    url: ${masker.url(urlOf(name) ?? '')}`, '    host: upstream'])
      yield terminal.paint('green', `+${line}`)
  yield ''
}

/** A URL that points at the gateway is of no use while it does not run, and no client says why. */
function* installWarnings(plans: readonly FilePlan[], { upstreams, text }: ChangeContext): Generator<string> {
  const servers = plans.flatMap((plan) => plan.servers)
  const isRefused = servers.some(({ verdict }) => verdict.state === 'left' && verdict.reason === 'gateway_unusable')
  if (upstreams.problem !== undefined && isRefused)
    yield `${shortPath(upstreams.path, text.userFolder)}: ${upstreams.problem}.`
  const redirected = servers.filter(({ verdict }) => verdict.state === 'redirect').map(({ name }) => toPrintable(name))
  if (redirected.length > 0)
    yield `Calls to ${redirected.join(', ')} fail while the gateway does not run: 'affidavit up' starts it.`
}

function sayNothing(plans: readonly FilePlan[]): string {
  const servers = plans.flatMap((plan) => plan.servers)
  if (servers.length === 0)
    return 'Nothing to do: no MCP servers found. docs/CLI.md has the files that are looked into.'
  const covered = servers.filter(({ verdict }) => verdict.state === 'covered').length
  const left = servers.length - covered
  return `Nothing to do: ${plural(covered, 'server is', 'servers are')} covered, ${left} left as ${left === 1 ? 'it is' : 'they are'}.`
}

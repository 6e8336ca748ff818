import { type FilePlan, isChanged } from '../install/planned.ts'
import { isSamePath } from '../install/servers.ts'
import { leftReasons } from '../install/verdict.ts'
import type { Applied } from './apply-plans.ts'
import type { ClientFiles } from './client-files.ts'
import type { Terminal } from './terminal.ts'

interface PlanOutcome {
  plans: readonly FilePlan[]
  files: ClientFiles
  applied: readonly Applied[]
}

/** One object per server and per file that could not be read. No value of a configuration file is in it. */
export async function writeJson(terminal: Terminal, { plans, files, applied }: PlanOutcome): Promise<void> {
  for (const plan of plans)
    for (const server of plan.servers) {
      const { name, path, project, transport, verdict } = server
      const outcome = applied.find((each) => each.plan === plan)
      const isOfPlan = isChanged(plan) && plan.entries.some((entry) => isSamePath(entry.path, path))
      const row = {
        id: toId(plan.location.path, path),
        client: plan.location.client,
        scope: plan.location.scope,
        file: plan.location.path,
        server: name,
        ...(project === undefined ? {} : { project }),
        transport,
        state: verdict.state,
        ...(verdict.state === 'left' ? { reason: verdict.reason, text: leftReasons[verdict.reason] } : {}),
        applied: isOfPlan && outcome !== undefined && outcome.failure === undefined,
        ...(isOfPlan && outcome?.failure !== undefined ? { failure: outcome.failure } : {}),
      }
      await terminal.write(`${JSON.stringify(row)}\n`)
    }
  await writeUnreadable(terminal, files)
}

export async function writeUnreadable(terminal: Terminal, { unreadable }: ClientFiles): Promise<void> {
  for (const { location, line, reason } of unreadable) {
    const { client, scope, path } = location
    const row = {
      id: path,
      client,
      scope,
      file: path,
      state: 'unreadable',
      ...(line === undefined ? {} : { line }),
      text: reason,
    }
    await terminal.write(`${JSON.stringify(row)}\n`)
  }
}

export function toId(file: string, path: readonly string[]): string {
  return `${file}#/${path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`
}

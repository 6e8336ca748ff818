import type { InstallArguments } from './install-options.ts'
import { UsageError } from './usage-error.ts'
import type { World } from './world.ts'

/** Whether the person wants it. Throws UsageError `AFD_NOT_CONFIRMED` where nobody can be asked. */
export async function mayChange(args: InstallArguments, world: World, question: string): Promise<boolean> {
  if (args.yes) return true
  if (world.ask === undefined || args.json)
    throw new UsageError(
      'AFD_NOT_CONFIRMED',
      'nothing was changed, because there is nobody to ask',
      'Give --yes to change without asking, or --dry-run to see what would change.',
    )
  const answer = await world.ask(`${question} [y/N] `)
  if (/^y(es)?$/i.test(answer.trim())) return true
  await world.stdout.write('Nothing was changed.\n')
  return false
}

import { followIndex } from '../query/sqlite/follow.ts'
import type { Command } from './command.ts'
import { exitCodes } from './failure.ts'
import { openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { homeOption } from './options.ts'

/** Not in the help: the collector starts it, in a process of its own, so that a query never slows sequencing. */
export const follow: Command = {
  spec: {
    name: 'follow',
    summary: 'Keeps the index at the log until stopped. Started by the collector.',
    options: { ...homeOption },
    examples: [{ command: 'affidavit follow --home DIR', text: 'What the collector starts' }],
  },
  run: async (args, { env, signal }) => {
    const home = await openExistingHome(homeFolder(args, env))
    const source = await openSource(home)
    try {
      await followIndex(source, home.paths.indexDatabase, signal)
    } finally {
      source.close()
    }
    return exitCodes.done
  },
}

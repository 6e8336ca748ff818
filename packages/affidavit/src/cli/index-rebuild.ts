import { rebuildIndex } from '../query/sqlite/follow.ts'
import type { Command } from './command.ts'
import { exitCodes, usageError } from './failure.ts'
import { formatNumberOf } from './format.ts'
import { openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { homeOption } from './options.ts'
import { createProgress } from './progress.ts'

/** `affidavit index rebuild`: the index is derived, so it may be thrown away at any time. */
export const indexRebuild: Command = {
  spec: {
    name: 'index',
    summary: 'Deletes the query index and derives it again from log and bodies.',
    positionals: ['rebuild'],
    options: { ...homeOption },
    examples: [{ command: 'affidavit index rebuild', text: 'After verify said that index and log differ' }],
    notes: ['Nothing is lost: the index holds nothing that is not in the log and its bodies.'],
  },
  run: async (args, context) => {
    if (args.positionals[0] !== 'rebuild') throw usageError('index', `index has no command '${args.positionals[0]}'`)
    const home = await openExistingHome(homeFolder(args, context.env))
    const source = await openSource(home)
    const progress = createProgress(context.stderr, 'indexed')
    try {
      const size = await rebuildIndex(source, home.paths.indexDatabase, progress.report)
      await progress.done()
      await context.stdout.write(`index rebuilt from ${formatNumberOf(size, 'entry', 'entries')}\n`)
      return exitCodes.done
    } finally {
      source.close()
    }
  },
}

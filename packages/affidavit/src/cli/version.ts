import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Command } from './command.ts'
import { exitCodes } from './failure.ts'
import { jsonOption } from './options.ts'

const manifest = z.object({ version: z.string() })

/** The same place relative to src/cli and dist/cli. */
export function readVersion(): string {
  return manifest.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version
}

export const version: Command = {
  spec: {
    name: 'version',
    summary: 'Prints the version of Affidavit and of Node.js.',
    options: { ...jsonOption },
    examples: [{ command: 'affidavit version', text: 'For a bug report' }],
  },
  run: async (args, { stdout }) => {
    const own = readVersion()
    await stdout.write(
      args.flag('json')
        ? `${JSON.stringify({ affidavit: own, node: process.versions.node, platform: `${process.platform}-${process.arch}` })}\n`
        : `affidavit ${own} (Node.js ${process.versions.node}, ${process.platform}-${process.arch})\n`,
    )
    return exitCodes.done
  },
}

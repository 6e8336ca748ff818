import { win32 } from 'node:path'

/** What the search for a command depends on. */
export interface CommandSearch {
  platform: NodeJS.Platform
  env: Readonly<Record<string, string | undefined>>
  exists(path: string): boolean
}

const scripts = ['.cmd', '.bat']

/**
 * Words that a command needs in front of it. On Windows `npx` and its like are scripts, which only the command interpreter
 * starts; clients put it in between by themselves, and `affidavit run` starts programs only.
 */
export function shimFor(command: string, search: CommandSearch): readonly string[] {
  if (search.platform !== 'win32') return []
  const found = findCommand(command, search) ?? command
  const isScript =
    scripts.includes(win32.extname(found).toLowerCase()) ||
    (found === command && knownScripts.has(command.toLowerCase()))
  return isScript ? ['cmd', '/c'] : []
}

/** Where the installer's PATH does not have them, the client's may. */
const knownScripts = new Set(['npx', 'npm', 'pnpm', 'pnpx', 'yarn'])

function findCommand(command: string, { env, exists }: CommandSearch): string | undefined {
  const endings = win32.extname(command) === '' ? ['.exe', '.com', ...scripts] : ['']
  const isPath = /[\\/]/.test(command)
  const folders = isPath ? [''] : (env.PATH ?? env.Path ?? '').split(';').filter((folder) => folder !== '')
  for (const folder of folders)
    for (const ending of endings) {
      const path = folder === '' ? command + ending : win32.join(folder, command + ending)
      if (exists(path)) return path
    }
  return undefined
}

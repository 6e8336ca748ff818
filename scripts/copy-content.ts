import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Which folder of `content/` each package ships. A folder that does not exist yet ships with the part that brings it. */
const shipped = {
  sensor: ['patterns', 'policies', 'catalogue'],
  affidavit: ['patterns', 'policies', 'catalogue'],
}

const root = join(import.meta.dirname, '..')
for (const [name, folders] of Object.entries(shipped)) {
  const target = join(root, 'packages', name, 'content')
  rmSync(target, { recursive: true, force: true })
  for (const folder of folders) {
    const from = join(root, 'content', folder)
    if (existsSync(from)) cpSync(from, join(target, folder), { recursive: true })
  }
}

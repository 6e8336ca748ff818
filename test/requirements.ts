import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What must hold. Tests name the ids they prove in brackets at the end of their titles. */
export interface Requirement {
  id: string
  text: string
  /** DESIGN section, RFC or MCP specification. */
  source: string
}

const isModule = (value: unknown): value is { requirements: readonly Requirement[] } =>
  typeof value === 'object' && value !== null && 'requirements' in value && Array.isArray(value.requirements)

/** All areas of test/requirements, in the order of their file names. Throws where two requirements share an id. */
export async function readRequirements(): Promise<Requirement[]> {
  const folder = join(import.meta.dirname, 'requirements')
  const all: Requirement[] = []
  for (const file of readdirSync(folder).sort()) {
    const module: unknown = await import(join(folder, file))
    if (!isModule(module)) throw new Error(`test/requirements/${file} exports no array 'requirements'`)
    all.push(...module.requirements)
  }
  const twice = all.filter(({ id }, i) => all.findIndex((other) => other.id === id) !== i)
  if (twice.length > 0) throw new Error(`requirement ids used twice: ${twice.map(({ id }) => id).join(', ')}`)
  return all
}

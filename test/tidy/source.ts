import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { parseSync } from 'oxc-parser'

export const root = join(import.meta.dirname, '..', '..')

export interface AstNode {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

export interface Source {
  path: string
  package: string
  folder: string
  text: string
  isTest: boolean
  ast: AstNode
  /** Specifiers of static and dynamic imports and of re-exports. */
  imports: string[]
}

export const isAstNode = (value: unknown): value is AstNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** Calls visit for every node, parents first, with the chain of ancestors (nearest last). */
export function walk(node: AstNode, visit: (node: AstNode, ancestors: AstNode[]) => void, ancestors: AstNode[] = []) {
  visit(node, ancestors)
  const below = [...ancestors, node]
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isAstNode(child)) walk(child, visit, below)
  }
}

export const lineOf = (source: Source, offset: number) => source.text.slice(0, offset).split('\n').length

/** Parses one text as if it stood at the path, which is relative to the root. */
export function parseSource(path: string, text: string): Source {
  const { program, module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const [, name = '', , folder = ''] = path.split('/')
  const dynamic = module.dynamicImports.map((i) =>
    text.slice(i.moduleRequest.start, i.moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
  )
  const reexports = module.staticExports.flatMap((e) =>
    e.entries.flatMap((entry) => (entry.moduleRequest ? [entry.moduleRequest.value] : [])),
  )
  return {
    path,
    package: name,
    folder,
    text,
    isTest: /\.(test|contract)\.tsx?$/.test(path) || path.includes('/testdata/'),
    ast: program as unknown as AstNode,
    imports: [...module.staticImports.map((i) => i.moduleRequest.value), ...dynamic, ...reexports],
  }
}

/** Every TypeScript source below packages/NAME/src. */
export function readSources(): Source[] {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name, 'src'))
    .flatMap((src) => readdirSync(src, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => parseSource(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')))
}

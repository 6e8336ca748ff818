import { join } from 'node:path'
import { type AstNode, isAstNode, lineOf, type Source, walk } from './source.ts'
import { type Room, table } from './table.ts'

/** Every check takes one source and says what offends, each with its line. */
export type Check = (source: Source) => string[]

const folders: Record<string, string> = {
  '@affidavit/evidence': 'evidence',
  '@affidavit/sensor': 'sensor',
  affidavit: 'affidavit',
}
/** Packages stack: evidence below sensor below affidavit. */
const order = ['evidence', 'sensor', 'affidavit']

/** Where an import of ours leads; undefined for Node's own and npm's modules. */
function destination(source: Source, specifier: string): { package: string; folder: string } | undefined {
  if (specifier.startsWith('.')) {
    const [, name = '', , folder = ''] = join(source.path, '..', specifier).split('/')
    return { package: name, folder }
  }
  const own = Object.keys(folders).find((name) => specifier === name || specifier.startsWith(`${name}/`))
  if (own === undefined) return undefined
  return { package: folders[own] ?? '', folder: specifier.slice(own.length + 1).split('/')[0] ?? '' }
}

function mayImport(source: Source, room: Room, specifier: string): boolean {
  const to = destination(source, specifier)
  if (to !== undefined) {
    const own = to.package === source.package && to.folder === source.folder
    const upward = order.indexOf(to.package) > order.indexOf(source.package)
    return own || ((room.imports.includes('*') || room.imports.includes(to.folder)) && !upward)
  }
  if (specifier.startsWith('node:')) return source.package !== 'evidence'
  return room.packages?.some((name) => specifier === name || specifier.startsWith(`${name}/`)) ?? false
}

export const imports: Check = (source) => {
  const room = table[source.package]?.[source.folder]
  if (room === undefined) return [`${source.path}: the folder is not in the table`]
  return source.imports.filter((i) => !mayImport(source, room, i)).map((i) => `${source.path}: imports ${i}`)
}

const write = new Set(['capture', 'spool', 'ship', 'redact', 'identity', 'durable'])
const read = new Set(['query', 'detect', 'sinks', 'report', 'bundle', 'investigate', 'serve'])

export const crossings: Check = (source) =>
  source.imports
    .map((specifier) => destination(source, specifier)?.folder ?? '')
    .filter((to) => (write.has(source.folder) && read.has(to)) || (read.has(source.folder) && write.has(to)))
    .map((to) => `${source.path}: crosses to ${to}`)

/** Collects what `say` finds at any node of the source. */
const atNodes =
  (say: (node: AstNode, ancestors: AstNode[], source: Source) => string | undefined): Check =>
  (source) => {
    const found: string[] = []
    walk(source.ast, (node, ancestors) => {
      const said = say(node, ancestors, source)
      if (said !== undefined) found.push(`${source.path}:${lineOf(source, node.start)} ${said}`)
    })
    return found
  }

const nameOf = (value: unknown): string => {
  if (!isAstNode(value)) return ''
  return typeof value.name === 'string' ? value.name : nameOf(value.id ?? value.key)
}

export const barrels: Check = (source) => [
  ...(/(^|\/)index\.tsx?$/.test(source.path) ? [source.path] : []),
  ...atNodes((node) => (node.type === 'ExportAllDeclaration' ? 'export *' : undefined))(source),
]

export const fileSize: Check = (source) => {
  const lines = source.text.trimEnd().split('\n').length
  return lines > 300 ? [`${source.path}: ${lines} lines`] : []
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const isFlag = (parameter: AstNode) =>
  isAstNode(parameter.typeAnnotation) &&
  isAstNode(parameter.typeAnnotation.typeAnnotation) &&
  parameter.typeAnnotation.typeAnnotation.type === 'TSBooleanKeyword'

export const functions: Check = atNodes((node, _ancestors, source) => {
  if (!functionTypes.has(node.type)) return undefined
  const lines = lineOf(source, node.end) - lineOf(source, node.start) + 1
  const parameters = Array.isArray(node.params) ? node.params.filter(isAstNode) : []
  if (lines > 60) return `function of ${lines} lines`
  if (parameters.length > 4) return `function of ${parameters.length} parameters`
  const flag = parameters.find(isFlag)
  return flag === undefined ? undefined : `boolean parameter ${nameOf(flag)}`
})

const banned = new Set(['manager', 'service', 'helper', 'util', 'utils', 'common', 'base', 'impl', 'data', 'info'])
const isBanned = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .some((word) => banned.has(word.toLowerCase()))
const declares = new Set([
  'VariableDeclarator',
  'FunctionDeclaration',
  'ClassDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
])

export const names: Check = (source) => [
  ...(isBanned(source.path.split('/').slice(3).join('/')) ? [source.path] : []),
  ...atNodes((node) => (declares.has(node.type) && isBanned(nameOf(node)) ? `name ${nameOf(node)}` : undefined))(
    source,
  ),
]

export const casts: Check = atNodes((node, ancestors) => {
  if (node.type === 'TSAnyKeyword') return 'any'
  if (node.type === 'TSNonNullExpression') return 'non-null assertion'
  if (node.type !== 'TSAsExpression') return undefined
  const target = node.typeAnnotation
  if (isAstNode(target) && target.type === 'TSTypeReference' && nameOf(target.typeName) === 'const') return undefined
  return ancestors.some((ancestor) => nameOf(ancestor).startsWith('parse'))
    ? undefined
    : 'cast outside a parse function'
})

/** A catch is honest where it throws or at least looks at what it caught. */
export const catches: Check = atNodes((node) => {
  if (node.type !== 'CatchClause' || !isAstNode(node.body)) return undefined
  const caught = nameOf(node.param)
  let honest = false
  walk(node.body, (inner) => {
    if (inner.type === 'ThrowStatement' || (inner.type === 'Identifier' && caught !== '' && inner.name === caught))
      honest = true
  })
  return honest ? undefined : 'catch that swallows'
})

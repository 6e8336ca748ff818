import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AstNode, lineOf, readSources, root, type Source, walk } from './tidy/source.ts'
import { table } from './tidy/table.ts'

const all = readSources()
const sources = all.filter((source) => !source.isTest)
const packageFolders: Record<string, string> = {
  '@affidavit/evidence': 'evidence',
  '@affidavit/sensor': 'sensor',
  affidavit: 'affidavit',
}

/** Where an import of ours leads: package and folder; undefined for Node's own and npm's modules. */
function destination(source: Source, specifier: string): { package: string; folder: string } | undefined {
  if (specifier.startsWith('.')) {
    const [, name, , folder] = join(source.path, '..', specifier).split('/')
    return { package: name ?? '', folder: folder ?? '' }
  }
  const own = Object.keys(packageFolders).find((name) => specifier === name || specifier.startsWith(`${name}/`))
  if (own === undefined) return undefined
  return { package: packageFolders[own] ?? '', folder: specifier.slice(own.length + 1).split('/')[0] ?? '' }
}

function offence(source: Source, specifier: string): string | undefined {
  const room = table[source.package]?.[source.folder]
  if (room === undefined) return `${source.path}: the folder is not in the table`
  const to = destination(source, specifier)
  if (to !== undefined) {
    const own = to.package === source.package && to.folder === source.folder
    const open = room.imports.includes('*') || room.imports.includes(to.folder)
    // Packages stack: evidence below sensor below affidavit.
    const order = ['evidence', 'sensor', 'affidavit']
    const upward = order.indexOf(to.package) > order.indexOf(source.package)
    return own || (open && !upward) ? undefined : `${source.path}: imports ${to.package}/${to.folder}`
  }
  if (specifier.startsWith('node:'))
    return source.package === 'evidence' ? `${source.path}: imports ${specifier}` : undefined
  return room.packages?.some((name) => specifier === name || specifier.startsWith(`${name}/`))
    ? undefined
    : `${source.path}: imports the package ${specifier}`
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const isNode = (value: unknown): value is AstNode => typeof value === 'object' && value !== null && 'type' in value
const nameOf = (value: unknown): string =>
  isNode(value) && typeof value.name === 'string'
    ? value.name
    : isNode(value) && isNode(value.id)
      ? nameOf(value.id)
      : ''

/** Runs check on every node of every source that is no test and lists what it says. */
function judge(check: (node: AstNode, ancestors: AstNode[], source: Source) => string | undefined): string[] {
  return sources.flatMap((source) => {
    const found: string[] = []
    walk(source.ast, (node, ancestors) => {
      const said = check(node, ancestors, source)
      if (said !== undefined) found.push(`${source.path}:${lineOf(source, node.start)} ${said}`)
    })
    return found
  })
}

const words = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.toLowerCase())
const banned = new Set(['manager', 'service', 'helper', 'util', 'utils', 'common', 'base', 'impl', 'data', 'info'])

describe('layers', () => {
  it('every folder imports only what its row of the table names [TIDY-1]', () => {
    expect(
      sources.flatMap((source) => source.imports.map((i) => offence(source, i)).filter((o) => o !== undefined)),
    ).toEqual([])
  })
  it('the write side never imports the read side, nor the reverse [TIDY-2]', () => {
    const write = new Set(['capture', 'spool', 'ship', 'redact', 'identity', 'durable'])
    const read = new Set(['query', 'detect', 'sinks', 'report', 'bundle', 'investigate', 'serve'])
    const crossings = sources.flatMap((source) =>
      source.imports.filter((i) => {
        const to = destination(source, i)?.folder ?? ''
        return (write.has(source.folder) && read.has(to)) || (read.has(source.folder) && write.has(to))
      }),
    )
    expect(crossings).toEqual([])
  })
  it('no barrels: no index.ts, no export * [TIDY-3]', () => {
    expect(sources.filter((s) => /(^|\/)index\.tsx?$/.test(s.path)).map((s) => s.path)).toEqual([])
    expect(judge((node) => (node.type === 'ExportAllDeclaration' ? 'export *' : undefined))).toEqual([])
  })
  it('@affidavit/evidence has no dependencies [TIDY-4]', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'packages/evidence/package.json'), 'utf8'))
    expect(manifest).not.toHaveProperty('dependencies')
  })
})

describe('sizes', () => {
  it('no file is over 300 lines [TIDY-5]', () => {
    expect(sources.filter((s) => s.text.split('\n').length > 301).map((s) => s.path)).toEqual([])
  })
  it('no function is over 60 lines or takes more than 4 parameters or a boolean [TIDY-6]', () => {
    const found = judge((node, _ancestors, source) => {
      if (!functionTypes.has(node.type)) return undefined
      const lines = lineOf(source, node.end) - lineOf(source, node.start) + 1
      const parameters = Array.isArray(node.params) ? node.params.filter(isNode) : []
      if (lines > 60) return `function of ${lines} lines`
      if (parameters.length > 4) return `function of ${parameters.length} parameters`
      const flags = parameters.filter(
        (p) =>
          isNode(p.typeAnnotation) &&
          isNode(p.typeAnnotation.typeAnnotation) &&
          p.typeAnnotation.typeAnnotation.type === 'TSBooleanKeyword',
      )
      return flags.length > 0 ? `boolean parameter ${nameOf(flags[0])}` : undefined
    })
    expect(found).toEqual([])
  })
})

describe('words', () => {
  it('no file or declaration carries a name that says nothing [TIDY-7]', () => {
    const files = all
      .map((s) => s.path)
      .filter((path) => words(path.split('/').slice(3).join('/')).some((w) => banned.has(w)))
    expect(files).toEqual([])
    const declarations = judge((node) => {
      const declares = [
        'VariableDeclarator',
        'FunctionDeclaration',
        'ClassDeclaration',
        'TSInterfaceDeclaration',
        'TSTypeAliasDeclaration',
      ]
      if (!declares.includes(node.type)) return undefined
      const name = nameOf(node)
      return words(name).some((w) => banned.has(w)) ? `name ${name}` : undefined
    })
    expect(declarations).toEqual([])
  })
})

describe('types and errors', () => {
  it('no any, no non-null assertion, no cast outside a parse function [TIDY-8]', () => {
    const found = judge((node, ancestors) => {
      if (node.type === 'TSAnyKeyword') return 'any'
      if (node.type === 'TSNonNullExpression') return 'non-null assertion'
      if (node.type !== 'TSAsExpression') return undefined
      const target = node.typeAnnotation
      if (isNode(target) && target.type === 'TSTypeReference' && nameOf(target.typeName) === 'const') return undefined
      const names = ancestors.map((a) => nameOf(a))
      return names.some((name) => name.startsWith('parse')) ? undefined : 'cast'
    })
    expect(found).toEqual([])
  })
  it('no catch swallows: it throws, or it looks at what it caught [TIDY-9]', () => {
    const found = judge((node) => {
      if (node.type !== 'CatchClause' || !isNode(node.body)) return undefined
      const caught = nameOf(node.param)
      let judged = false
      walk(node.body, (inner) => {
        if (inner.type === 'ThrowStatement' || (inner.type === 'Identifier' && caught !== '' && inner.name === caught))
          judged = true
      })
      return judged ? undefined : 'catch that swallows'
    })
    expect(found).toEqual([])
  })
  it('no module mocks and no tests switched off [TIDY-10]', () => {
    const found = execFileSync('git', ['ls-files', '*.test.ts', '*.contract.ts'], { cwd: root, encoding: 'utf8' })
      .split('\n')
      .filter((path) => path !== '' && path !== 'test/tidy.test.ts')
      .filter((path) =>
        /vi\.mock\(|\b(it|test|describe)\.(only|todo|skip)\(/.test(readFileSync(join(root, path), 'utf8')),
      )
    expect(found).toEqual([])
  })
})

describe('what the repository says', () => {
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((p) => p !== '')
  const mentions = (pattern: RegExp) =>
    tracked.filter(
      (path) =>
        !['test/tidy.test.ts', 'package-lock.json'].includes(path) &&
        pattern.test(readFileSync(join(root, path), 'utf8')),
    )
  it('no path of one machine and no registry host [TIDY-11]', () => {
    expect(mentions(/(^|[^a-zA-Z.])\/(work|farm)\/|registry\.[a-z]+\.org|\/home\/[a-z]+\//m)).toEqual([])
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/)
  })
  it('nothing is left for later [TIDY-12]', () => {
    expect(mentions(/\b(TODO|FIXME|HACK)\b|XXX[^X]|not (yet )?implemented/)).toEqual([])
  })
})

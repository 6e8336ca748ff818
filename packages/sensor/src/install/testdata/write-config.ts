import fc from 'fast-check'

/** Writes configuration files in all the ways people and programs write them. */

export interface Layout {
  /** Between tokens where a line may break; `depth` is how deep it stands. */
  line(depth: number): string
  colon: string
  comma: string
  trailing: boolean
  comment(depth: number): string
  mark: string
  end: string
}

const lines = (newline: string, indent: string) => (depth: number) => newline + indent.repeat(depth)
const plain = { colon: ': ', comma: ', ', trailing: false, comment: () => '', mark: '', end: '\n' }

export const layouts: readonly Layout[] = [
  { ...plain, line: lines('\n', '  ') },
  { ...plain, line: lines('\n', '\t'), trailing: true, comment: (depth) => `// note ${depth}` },
  { ...plain, line: lines('\r\n', '    '), mark: '\uFEFF', end: '' },
  { ...plain, line: lines('\n', '   '), colon: ' :  ', comment: () => '/* "command": "old" */', end: '\n\n' },
  { ...plain, line: () => '', colon: ':', comma: ',', end: '' },
  { ...plain, line: () => ' ' },
]

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

const word = fc.oneof(
  fc.constantFrom('npx', '-y', '@modelcontextprotocol/server-x', 'run', '--', '--server', '$HOME/x', 'C:\\x y', ''),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const others = fc.dictionary(
  fc.constantFrom('env', 'cwd', 'disabled', 'timeout', 'alwaysAllow', 'x'),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 3 },
)
const stdio = fc.tuple(
  fc.constantFrom('npx', 'uvx', 'node', '/opt/é "x"/serve', 'C:\\Program Files\\node.exe'),
  fc.option(fc.array(word, { maxLength: 4 })),
  others,
  fc.boolean(),
)
const http = fc.tuple(
  fc.constantFrom(
    'http://localhost:1/mcp',
    'https://x.example/mcp?api_key=k',
    'https://x.example/a/mcp',
    'https://x.example/sse',
  ),
  others,
)

const server = fc.oneof(
  stdio.map(([command, args, more, argsFirst]): Json => {
    const given = args === null ? {} : { args }
    return argsFirst ? { ...given, ...parseMore(more), command } : { command, ...given, ...parseMore(more) }
  }),
  http.map(([url, more]): Json => ({ ...parseMore(more), url })),
  fc.jsonValue({ maxDepth: 1 }).map((value) => parseJson(value)),
)

function parseJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}

function parseMore(value: unknown): { [name: string]: Json } {
  return parseJson(value) as { [name: string]: Json }
}

const servers = fc.dictionary(
  fc.oneof(fc.constantFrom('files', 'github', 'a b', '--'), fc.string({ maxLength: 5 })),
  server,
  { maxKeys: 4 },
)

/** A configuration; it is written when its layout is known. */
export function writeConfig(): fc.Arbitrary<(layout: Layout) => string> {
  return fc.tuple(servers, servers, fc.jsonValue({ maxDepth: 2 })).map(([user, project, more]) => {
    const config: Json = {
      more: parseJson(more),
      mcpServers: user,
      projects: { '/users/u/p': { mcpServers: project, allowedTools: [] } },
      zz: 0,
    }
    return (layout) => layout.mark + write(config, layout, 0) + layout.end
  })
}

function write(value: Json, layout: Layout, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  const items = Array.isArray(value)
    ? value.map((item) => write(item, layout, depth + 1))
    : Object.entries(value).map(([name, item]) => {
        const colon = name === 'zz' ? ': ' : layout.colon
        return `${JSON.stringify(name)}${colon}${write(item, layout, depth + 1)}`
      })
  if (items.length === 0) return open + close
  const lead = layout.line(depth + 1)
  const comment = layout.comment(depth)
  const separator = lead.includes('\n') ? `,${lead}` : layout.comma
  const last = layout.trailing ? ',' : ''
  return (
    open + (comment === '' ? '' : lead + comment) + lead + items.join(separator) + last + layout.line(depth) + close
  )
}

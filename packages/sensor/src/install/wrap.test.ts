import fc from 'fast-check'
import type { Node } from 'jsonc-parser'
import { describe, expect, it } from 'vitest'
import { isUnparsable, parseDocument } from './document.ts'
import type { Location } from './locations.ts'
import { planInstall } from './plan.ts'
import type { FilePlan } from './planned.ts'
import { toUpstreamUrl } from './redirect.ts'
import { layouts, writeConfig } from './testdata/write-config.ts'
import { planUninstall, type UninstallOptions } from './undo.ts'

const location: Location = {
  client: 'claude-code',
  scope: 'user',
  path: '/users/u/.claude.json',
  servers: [['mcpServers'], ['projects', '*', 'mcpServers']],
}
const surroundings = { gatewayOrigin: 'http://127.0.0.1:7332', wantsOAuth: new Map<string, boolean>() }
const before = ['/opt/affidavit.js', 'run', '--server', 's', '--']

function install(bytes: Uint8Array, shim: readonly string[] = []): FilePlan {
  const document = parseDocument(bytes)
  if (isUnparsable(document)) throw new Error(`${document.reason} in line ${document.line}`)
  return planInstall(location, document, {
    surroundings,
    selects: () => true,
    wrapWords: () => ({ program: '/usr/bin/node', before, shim }),
    claimUpstream: (_name, _client, url) => Buffer.from(toUpstreamUrl(url)).toString('hex'),
  })
}

function uninstall(bytes: Uint8Array, known: Partial<UninstallOptions> = {}): FilePlan {
  const document = parseDocument(bytes)
  if (isUnparsable(document)) throw new Error(document.reason)
  return planUninstall(location, document, {
    surroundings,
    selects: () => true,
    memories: [],
    upstreamUrl: () => undefined,
    ...known,
  })
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const wrapText = (entry: string) => textOf(install(Buffer.from(`{"mcpServers":{"s":${entry}}}`)).after).slice(19, -2)

describe('wrapping', () => {
  it('puts affidavit run in front, and leaves every other member as it is [IN-2] [IN-3]', () => {
    expect(wrapText('{ "command": "npx", "args": ["-y", "x"], "env": {"A":"b"}, "cwd": "/w" }')).toBe(
      '{ "command": "/usr/bin/node", "args": ["/opt/affidavit.js", "run", "--server", "s", "--", "npx", "-y", "x"], "env": {"A":"b"}, "cwd": "/w" }',
    )
    expect(wrapText('{"args":["x"],"command":"npx"}')).toBe(
      '{"args":["/opt/affidavit.js", "run", "--server", "s", "--", "npx", "x"],"command":"/usr/bin/node"}',
    )
    expect(wrapText('{"command":"npx"}')).toBe(
      '{"command":"/usr/bin/node","args":["/opt/affidavit.js", "run", "--server", "s", "--", "npx"]}',
    )
    expect(wrapText('{\n\t"command": "npx",\n\t"env": {}\n}')).toBe(
      '{\n\t"command": "/usr/bin/node",\n\t"args": ["/opt/affidavit.js", "run", "--server", "s", "--", "npx"],\n\t"env": {}\n}',
    )
    expect(wrapText('{"command":"npx","args":[\r\n    // quiet\r\n    "-y", // yes\r\n    "x"\r\n  ]}')).toBe(
      '{"command":"/usr/bin/node","args":[\r\n    // quiet\r\n    "/opt/affidavit.js", "run", "--server", "s", "--", "npx",\r\n    "-y", // yes\r\n    "x"\r\n  ]}',
    )
    expect(wrapText('{"command":"npx","args":[]}')).toContain(
      '"args":["/opt/affidavit.js", "run", "--server", "s", "--", "npx"]',
    )
  })

  it('cmd /c of a configuration survives, and one of ours comes and goes [IN-2] [IN-5]', () => {
    const written = wrapText('{"command":"cmd","args":["/c","npx","-y","x"]}')
    expect(JSON.parse(written).args.slice(4)).toEqual(['--', 'cmd', '/c', 'npx', '-y', 'x'])
    const bytes = Buffer.from('{"mcpServers":{"s":{"command":"npx","args":["-y","x"]}}}')
    const { after, entries } = install(bytes, ['cmd', '/c'])
    expect(JSON.parse(textOf(after)).mcpServers.s.args.slice(4)).toEqual(['--', 'cmd', '/c', 'npx', '-y', 'x'])
    expect(textOf(uninstall(after, { memories: entries }).after)).toBe(bytes.toString())
  })

  it('the file of an administrator is looked at and left [IN-7]', () => {
    const document = parseDocument(Buffer.from('{"mcpServers":{"s":{"command":"npx"}}}'))
    if (isUnparsable(document)) throw new Error(document.reason)
    const plan = planInstall({ ...location, scope: 'managed' }, document, {
      surroundings,
      selects: () => true,
      wrapWords: () => ({ program: '/usr/bin/node', before, shim: [] }),
      claimUpstream: () => undefined,
    })
    expect(plan.servers.map(({ verdict }) => verdict)).toEqual([{ state: 'left', reason: 'managed' }])
    expect(plan.entries).toEqual([])
  })

  it('what was wrapped by hand is unwrapped too [IN-6]', () => {
    const args = ['-y', 'affidavit', 'run', '--', 'uvx', 'mcp-server-fetch']
    const { after } = uninstall(Buffer.from(JSON.stringify({ mcpServers: { s: { command: 'npx', args } } })))
    expect(JSON.parse(textOf(after)).mcpServers.s).toEqual({ command: 'uvx', args: ['mcp-server-fetch'] })
  })
})

describe('for any configuration', () => {
  const arbitraryConfig = fc
    .tuple(writeConfig(), fc.constantFrom(...layouts))
    .map(([write, layout]) => Buffer.from(write(layout)))

  it('install then uninstall gives back every byte [IN-5]', () => {
    fc.assert(
      fc.property(arbitraryConfig, (bytes) => {
        const installed = install(bytes)
        const undone = uninstall(installed.after, { memories: installed.entries })
        expect(textOf(undone.after)).toBe(bytes.toString())
        expect(undone.servers.every(({ verdict }) => verdict.state !== 'left')).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('a second install changes nothing [IN-4]', () => {
    fc.assert(
      fc.property(arbitraryConfig, (bytes) => {
        const once = install(bytes).after
        const twice = install(once)
        expect(twice.entries).toEqual([])
        expect(textOf(twice.after)).toBe(textOf(once))
      }),
      { numRuns: 200 },
    )
  })

  it('without a memory uninstall restores what servers mean, and what was edited meanwhile stays [IN-6]', () => {
    fc.assert(
      fc.property(arbitraryConfig, fc.string(), (bytes, note) => {
        const { after } = install(bytes)
        const edited = textOf(after).replace('"zz": 0', () => `"zz": ${JSON.stringify(note)}`)
        const upstreamUrl = (upstream: string) => Buffer.from(upstream, 'hex').toString()
        const undone = textOf(uninstall(Buffer.from(edited), { upstreamUrl }).after)
        const meaning = (text: string) => normalize(parseLoosely(text))
        expect(meaning(undone)).toEqual(
          meaning(bytes.toString().replace('"zz": 0', () => `"zz": ${JSON.stringify(note)}`)),
        )
      }),
      { numRuns: 200 },
    )
  })
})

/** Without a memory an absent args and an empty one are the same. */
function normalize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalize)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, normalize(member)] as const)
  return Object.fromEntries('command' in value && !('args' in value) ? [...members, ['args', []]] : members)
}

function parseLoosely(text: string): unknown {
  const document = parseDocument(Buffer.from(text))
  if (isUnparsable(document)) throw new Error(document.reason)
  return readNode(document.root)
}

function readNode(node: Node | undefined): unknown {
  if (node === undefined) return undefined
  if (node.type === 'array') return (node.children ?? []).map(readNode)
  if (node.type !== 'object') return node.value
  return Object.fromEntries(
    (node.children ?? []).map((member) => [member.children?.[0]?.value, readNode(member.children?.[1])]),
  )
}

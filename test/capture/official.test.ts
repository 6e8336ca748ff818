import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, it, onTestFinished } from 'vitest'
import { stage } from './harness/wrapped.ts'

const here = import.meta.dirname
const resolveFrom = createRequire(import.meta.url)

/** The file a package's command runs. */
function commandOf(name: string): string {
  const manifest = resolveFrom.resolve(`${name}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bin === 'string' ? bin : String(Object.values(bin)[0]))
}

type Script = (client: Client) => Promise<unknown>

/** Every byte that went in and came out of a process, kept by servers/tap.mjs. */
interface Tap {
  command: string[]
  input(): Buffer
  output(): Buffer
}

function tap(command: string[]): Tap {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-official-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return {
    command: [process.execPath, join(here, 'servers/tap.mjs'), folder, ...command],
    input: () => readFileSync(join(folder, 'in')),
    output: () => readFileSync(join(folder, 'out')),
  }
}

/** Returns what the client's API gave the script. */
async function drive(command: string[], env: Record<string, string>, script: Script): Promise<unknown> {
  const [program = '', ...args] = command
  const transport = new StdioClientTransport({ command: program, args, env: { PATH: process.env.PATH ?? '', ...env } })
  const client = new Client({ name: 'official', version: '1.0.0' }, { capabilities: {} })
  await client.connect(transport)
  const seen = await script(client)
  await client.close()
  return seen
}

/** Servers tell the time; nothing else differs between two runs. */
const timeless = (value: Buffer | unknown) =>
  (value instanceof Buffer ? value.toString() : JSON.stringify(value)).replaceAll(/\d{1,2}:\d\d:\d\d( [AP]M)?/g, 'TIME')

async function settle(call: Promise<unknown>): Promise<unknown> {
  const [result] = await Promise.allSettled([call])
  return result?.status === 'fulfilled' ? result.value : `rejected: ${String(result?.reason)}`
}

/** The same script against the bare server and through the wrapper; nobody can tell them apart. */
async function compare(server: string[], script: Script) {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-official-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const trace = join(folder, 'trace')
  const bare = tap(server)
  const seenBare = await drive(bare.command, {}, script)
  const inner = tap(server)
  const outer = tap([
    process.execPath,
    '--conditions=@affidavit/source',
    join(here, 'harness/wrapper.ts'),
    ...inner.command,
  ])
  const seenWrapped = await drive(outer.command, { WRAPPER_TRACE: trace }, script)
  expect(timeless(seenWrapped) === timeless(seenBare)).toBe(true)
  expect(inner.input().equals(outer.input())).toBe(true)
  expect(inner.output().equals(outer.output())).toBe(true)
  expect(timeless(outer.input()) === timeless(bare.input())).toBe(true)
  // Answers to concurrent calls come in an order of the server's own.
  const sorted = (output: Buffer) => timeless(output).split('\n').sort().join('\n')
  expect(sorted(outer.output()) === sorted(bare.output())).toBe(true)
  expect(bare.output().length).toBeGreaterThan(1000)
  const entries = readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(entries.filter((entry) => 'invalid' in entry)).toEqual([])
  return entries.filter((entry) => 'draft' in entry)
}

it('server-filesystem looks the same with and without the wrapper [C-27] [C-30]', async () => {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-files-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'notes'))
  writeFileSync(join(root, 'notes/a.txt'), 'first line\nsecond line with ümläuts and 😀\n')
  const call = (client: Client, name: string, args: Record<string, unknown>) =>
    settle(client.callTool({ name, arguments: args }))
  const records = await compare(
    [process.execPath, commandOf('@modelcontextprotocol/server-filesystem'), root],
    async (client) => [
      await client.listTools(),
      await call(client, 'list_allowed_directories', {}),
      await call(client, 'read_text_file', { path: join(root, 'notes/a.txt') }),
      await call(client, 'write_file', { path: join(root, 'notes/b.txt'), content: 'x'.repeat(2_000_000) }),
      await call(client, 'read_text_file', { path: join(root, 'notes/b.txt') }),
      await call(client, 'search_files', { path: root, pattern: '**/*.txt' }),
      await call(client, 'read_text_file', { path: '/etc/passwd' }),
      await call(client, 'no_such_tool', {}),
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          call(client, 'get_file_info', { path: join(root, i % 2 === 0 ? 'notes' : 'gone') }),
        ),
      ),
    ],
  )
  const requested = stage(records, 'requested')
  expect(stage(records, 'completed')).toHaveLength(requested.length)
  expect(new Set(stage(records, 'completed').map(({ draft }) => draft.outcome))).toContain('tool_error')
  const read = requested.find(({ draft }) => draft.tool?.name === 'read_text_file')
  expect(read?.draft).toMatchObject({ sessionSource: 'legacy-stdio', server: { version: expect.any(String) } })
})

it('server-everything looks the same with and without the wrapper [C-27] [C-30]', async () => {
  const call = (client: Client, name: string, args: Record<string, unknown>) =>
    settle(client.callTool({ name, arguments: args }))
  const records = await compare(
    [process.execPath, commandOf('@modelcontextprotocol/server-everything'), 'stdio'],
    async (client) => [
      await client.listTools(),
      await client.listPrompts(),
      await client.listResourceTemplates(),
      await call(client, 'echo', { message: 'hello' }),
      await call(client, 'get-tiny-image', {}),
      await call(client, 'get-structured-content', { location: 'New York' }),
      await settle(client.readResource({ uri: 'demo://resource/dynamic/text/1' }).then(() => 'read')),
      await settle(client.getPrompt({ name: 'simple-prompt' })),
      await settle(client.ping()),
    ],
  )
  const kinds = new Set(stage(records, 'requested').map(({ draft }) => draft.kind))
  for (const kind of ['session', 'list', 'call', 'read', 'prompt']) expect(kinds).toContain(kind)
})

import { spawn, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '../..')
export const binary = join(root, 'packages/affidavit/bin/affidavit.js')

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** A user with clients, in a folder that goes away with the test. */
export interface User {
  folder: string
  project: string
  home: string
  env: Record<string, string>
  run(...argv: string[]): Finished
  write(path: string, text: string | Uint8Array): void
  read(path: string): string
  /** Bytes of every file outside the home folder, by path. */
  files(): Record<string, string>
}

export function createUser(): User {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'affidavit-user-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const project = join(folder, 'work/app')
  mkdirSync(project, { recursive: true })
  const home = join(folder, '.local/share/affidavit')
  // As a client with windows has it: no nvm, no shell.
  const env = { PATH: '/usr/bin:/bin', HOME: folder }
  const write = (path: string, text: string | Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return {
    folder,
    project,
    home,
    env,
    write,
    run: (...argv) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [binary, ...argv], {
        cwd: project,
        env,
        encoding: 'utf8',
        timeout: 60_000,
      })
      return { code: status, stdout, stderr }
    },
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    files: () => readAll(folder, home),
  }
}

function readAll(folder: string, except: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name)
    if (!path.startsWith(except) && statSync(path).isFile()) files[name] = readFileSync(path, 'latin1')
  }
  return files
}

/** Secrets as files hold them; none may ever be printed. */
export const secrets = [
  'hunter2secret', 's3cr3t-token-value', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'env-value-7', 'query-key-9', 'sk-in-a-comment', 'client-id-5', 'account@example.com',
] as const // biome-ignore format: one list

/** All four clients, each file in the manner of its own: comments, tabs, CRLF, a byte order mark, no last newline, one line. */
export function writeClients(user: User): void {
  user.write(
    '.config/Claude/claude_desktop_config.json',
    `{
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/srv/docs"]
    },
    "postgres": {
      "command": "uvx",
      "args": [
        "postgres-mcp",
        "postgresql://app:hunter2secret@db.internal/prod",
        "--access-mode=unrestricted"
      ],
      "env": { "PGPASSWORD": "hunter2secret", "LOG_LEVEL": "env-value-7" }
    },
    "notes": {"command":"node","args":["/opt/notes/server.js"],"disabled":true}
  },
  "globalShortcut": ""
}`,
  )
  user.write(
    '.claude.json',
    `\uFEFF${JSON.stringify(
      {
        oauthAccount: { emailAddress: 'account@example.com' },
        mcpServers: {
          github: {
            type: 'http',
            url: 'https://api.github.example/mcp/',
            headers: { Authorization: 'Bearer ghp_abcdefghijklmnopqrstuvwxyz0123456789' },
          },
          notion: { type: 'http', url: 'https://mcp.notion.example/mcp' },
          asana: { type: 'sse', url: 'https://mcp.asana.example/sse' },
        },
        projects: {
          [user.project]: {
            allowedTools: [],
            mcpServers: {
              db: {
                type: 'stdio',
                command: 'python',
                args: ['-m', 'db_server', '--token', 's3cr3t-token-value'],
                env: {},
              },
            },
          },
        },
      },
      undefined,
      4,
    ).replaceAll('\n', '\r\n')}\r\n`,
  )
  user.write(
    'dotfiles/cursor.json',
    `{
\t// servers of mine; was: "env": { "OPENAI_API_KEY": "sk-in-a-comment" }
\t"mcpServers": {
\t\t"linear": { "url": "https://mcp.linear.example/mcp", "auth": { "CLIENT_ID": "client-id-5" } },
\t\t"local-api": { "url": "http://localhost:8080/mcp?key=query-key-9" }, /* local */
\t\t"fetch": {
\t\t\t"command": "uvx", // quick
\t\t\t"args": [ "mcp-server-fetch" ],
\t\t\t/* "env": { "OPENAI_API_KEY": "sk-in-a-comment" } */
\t\t},
\t},
}
`,
  )
  mkdirSync(join(user.folder, '.cursor'))
  symlinkSync('../dotfiles/cursor.json', join(user.folder, '.cursor/mcp.json'))
  user.write(
    '.config/Code/User/mcp.json',
    `{
    "inputs": [{ "type": "promptString", "id": "key", "password": true }],
    "servers": {
        "perplexity": { "type": "stdio", "command": "npx", "args": ["-y", "server-perplexity-ask"],
           "env": { "PERPLEXITY_API_KEY": "$\{input:key}" }, "envFile": "$\{workspaceFolder}/.env", "cwd": "/w" },
        "boxed": { "command": "npx", "args": ["x"], "sandboxEnabled": true },
        "bare": { "command": "mcp-time" }
    }
}
`,
  )
  user.write(
    '.config/Code/User/settings.json',
    '{\n  "editor.fontSize": 12, // px\n  "mcp": { "servers": { "old": { "command": "node", "args": ["s.js"] } } }\n}\n',
  )
  user.write(
    'work/app/.vscode/mcp.json',
    '{"servers":{"everything":{"command":"npx","args":["-y","@modelcontextprotocol/server-everything"]}}}',
  )
  user.write('work/app/.mcp.json', '{ "mcpServers": { "shared": { "command": "./serve.sh" } } }\n')
}

/** Rows of --json by the name of their server. */
export function rowsOf({ stdout }: Finished): Record<string, Record<string, unknown>> {
  const rows = stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line))
  return Object.fromEntries(rows.map((row) => [String(row.server ?? row.id), row]))
}

/** As `run`, beside a server of this very process, which must be able to answer meanwhile. */
export function runAside(user: User, argv: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [binary, ...argv], { cwd: user.project, env: user.env })
  const finished: Finished = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (finished.stdout += chunk))
  child.stderr.on('data', (chunk) => (finished.stderr += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...finished, code })))
}

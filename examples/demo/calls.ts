import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const server = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')

/** Files that an agent of a support team might find. */
async function fillFolder(folder: string) {
  await mkdir(join(folder, 'tickets'), { recursive: true })
  await writeFile(join(folder, 'README.md'), '# Support notes\n\nTickets are in tickets/.\n')
  await writeFile(join(folder, 'tickets/4711.md'), 'Customer cannot log in since Tuesday.\n')
  await writeFile(join(folder, 'tickets/4712.md'), 'Invoice shows the wrong address.\n')
}

/** What is called, in order. The last four fail, hold a secret, or ask for what is not there. */
const calls = (folder: string) => [
  { name: 'list_directory', arguments: { path: folder } },
  { name: 'read_text_file', arguments: { path: join(folder, 'tickets/4711.md') } },
  { name: 'read_multiple_files', arguments: { paths: [join(folder, 'README.md'), join(folder, 'tickets/4712.md')] } },
  { name: 'search_files', arguments: { path: folder, pattern: '*.md' } },
  {
    name: 'write_file',
    arguments: { path: join(folder, 'answer.md'), content: 'Dear customer, your password was reset.\n' },
  },
  { name: 'read_text_file', arguments: { path: '/etc/shadow' } },
  {
    name: 'write_file',
    arguments: {
      path: join(folder, 'deploy.env'),
      // Assembled here so that no scanner takes this file for a leak; the value is made up.
      content: `REGION=eu-central-1\nGITHUB_TOKEN=${['ghp', 'wJ8kQ2mX7rTz4vN1cB6yH3sD9fG5aL0pE2uR'].join('_')}\n`,
    },
  },
  { name: 'drop_all_tables', arguments: { confirm: true } },
]

/**
 * Drives the official filesystem server with the official client through `affidavit run`.
 * @param wrapper command line that stands before the server's own
 */
export async function driveServer(folder: string, wrapper: string[]) {
  await fillFolder(folder)
  const [command = '', ...args] = [...wrapper, process.execPath, server, folder]
  const client = new Client({ name: 'support-agent', version: '2.3.0' })
  await client.connect(new StdioClientTransport({ command, args, stderr: 'inherit' }))
  await client.listTools()
  for (const call of calls(folder)) {
    const result = await client.callTool(call)
    console.log(`  ${call.name.padEnd(20)} ${result.isError === true ? 'failed' : 'ok'}`)
  }
  await client.close()
}

import { expect, it } from 'vitest'
import { findUncovered, type ProcessFacts } from './processes.ts'

const process = (pid: number, parent: number, line: string): ProcessFacts => ({ pid, parent, words: line.split(' ') })

it('processes that speak of MCP are found, one for a whole chain [IN-13]', () => {
  const found = findUncovered([
    process(1, 0, 'init'),
    process(10, 1, 'claude'),
    process(11, 10, 'npm exec @modelcontextprotocol/server-filesystem /srv'),
    process(12, 11, 'sh -c mcp-server-filesystem /srv'),
    process(13, 12, 'node /x/node_modules/.bin/mcp-server-filesystem /srv'),
    process(20, 10, 'python3 -m mcp_server_time'),
    process(21, 10, 'docker run -i --rm mcp/postgres'),
    process(22, 10, '/opt/bin/github-mcp-server stdio'),
  ])
  expect(found.map(({ pid }) => pid)).toEqual([11, 20, 21, 22])
})

it('what runs under affidavit, edits a file or has nothing to do with it is not found [IN-13]', () => {
  const found = findUncovered([
    process(30, 1, 'node /usr/bin/affidavit run --server x -- npx -y @modelcontextprotocol/server-everything'),
    process(31, 30, 'npm exec @modelcontextprotocol/server-everything'),
    process(32, 31, 'node /x/.bin/mcp-server-everything'),
    process(40, 1, 'vim /users/u/.cursor/mcp.json'),
    process(41, 1, 'node /x/build.js /users/u/.vscode/mcp.json'),
    process(42, 1, 'node /x/server.js'),
    process(43, 1, 'bash'),
    process(44, 44, 'node /x/mcpx/y.js'),
  ])
  expect(found).toEqual([])
})

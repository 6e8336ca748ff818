// A server on the official SDK whose tools are what a file says: { name: description }. `reload` reads it again, so that
// tools change, appear and disappear while a client is connected; the SDK then sends notifications/tools/list_changed.
import { readFileSync } from 'node:fs'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const [path] = process.argv.slice(2)
const server = new McpServer({ name: 'notes', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
const registered = new Map()

function load() {
  const tools = JSON.parse(readFileSync(path, 'utf8'))
  for (const [name, tool] of registered) {
    if (name in tools) continue
    tool.remove()
    registered.delete(name)
  }
  for (const [name, description] of Object.entries(tools)) {
    const tool = registered.get(name)
    if (tool !== undefined) tool.update({ description })
    else
      registered.set(
        name,
        server.registerTool(name, { description, inputSchema: { title: z.string() } }, ({ title }) => ({
          content: [{ type: 'text', text: `${name} ${title}` }],
        })),
      )
  }
}

server.registerTool('reload', { description: 'Reads the file of tools again.' }, () => {
  load()
  return { content: [] }
})
load()
await server.connect(new StdioServerTransport())

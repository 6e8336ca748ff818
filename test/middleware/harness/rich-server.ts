import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { inputRequired, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A server of SDK 2.x that shows every way in which a call can end. */
export function createRichServer(): McpServer {
  const server = new McpServer({ name: 'rich', version: '2.1.0' }, { capabilities: { logging: {} } })
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })
  server.registerTool(
    'echo',
    { description: 'says it again', inputSchema: z.object({ message: z.string() }) },
    ({ message }) => text(message),
  )
  server.registerTool('fails', { description: 'is an error', inputSchema: z.object({}) }, () => ({
    ...text('no luck'),
    isError: true,
  }))
  server.registerTool('throws', { description: 'throws', inputSchema: z.object({}) }, () => {
    throw new Error('out of order')
  })
  server.registerTool(
    'steps',
    { description: 'tells its progress', inputSchema: z.object({ count: z.number() }) },
    async ({ count }, ctx) => {
      for (let progress = 1; progress <= count; progress++)
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken: ctx.mcpReq._meta?.progressToken ?? 'none', progress, total: count },
        })
      return text(`${count} steps`)
    },
  )
  server.registerTool('asks', { description: 'asks back', inputSchema: z.object({}) }, async (_input, ctx) => {
    const answer = ctx.mcpReq.inputResponses?.name
    if (answer === undefined)
      return inputRequired({
        inputRequests: {
          name: inputRequired.elicit({
            message: 'Your name?',
            requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
          }),
        },
      })
    return text(JSON.stringify(answer))
  })
  server.registerTool(
    'waits',
    { description: 'never comes back', inputSchema: z.object({}) },
    (_input, ctx) =>
      new Promise((resolve) => ctx.mcpReq.signal.addEventListener('abort', () => resolve(text('aborted')))),
  )
  server.registerResource('note', 'note://1', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'a note' }],
  }))
  server.registerPrompt('greet', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello ${name}` } }],
  }))
  return server
}

/** The same of SDK 1.x, as far as it goes. */
export function createRichServerV1(): McpServerV1 {
  const server = new McpServerV1({ name: 'rich', version: '1.1.0' }, { capabilities: { logging: {} } })
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })
  server.registerTool('echo', { description: 'says it again', inputSchema: { message: z.string() } }, ({ message }) =>
    text(message),
  )
  server.registerTool('fails', { description: 'is an error' }, () => ({ ...text('no luck'), isError: true }))
  server.registerTool(
    'steps',
    { description: 'tells its progress', inputSchema: { count: z.number() } },
    async ({ count }, extra) => {
      for (let progress = 1; progress <= count; progress++)
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken: extra._meta?.progressToken ?? 'none', progress, total: count },
        })
      return text(`${count} steps`)
    },
  )
  server.registerTool('asks', { description: 'asks back' }, async () => {
    const answer = await server.server.elicitInput({
      message: 'Your name?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    })
    return text(JSON.stringify(answer))
  })
  server.registerResource('note', 'note://1', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'a note' }],
  }))
  server.registerPrompt('greet', { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello ${name}` } }],
  }))
  return server
}

import { randomUUID } from 'node:crypto'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { announce, completion, getPrompt, prompts, readResource, resources, resourceTemplates } from './content.ts'
import { createEventStore } from './event-store.ts'
import { type LegacyCaller, legacyTools } from './legacy-tools.ts'

/** Revision 2025-11-25 on the 1.x SDK: sessions, SSE, resumable streams. */

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

function toCaller(extra: Extra): LegacyCaller {
  const progressToken = extra._meta?.progressToken
  return {
    async reportProgress(progress, total) {
      if (progressToken === undefined) return
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } })
    },
    log: (data) => extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } }),
    elicit: async (params) =>
      JSON.stringify(await extra.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema)),
    sample: async (params) =>
      JSON.stringify(await extra.sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema)),
    closeStream: () => extra.closeSSEStream?.(),
  }
}

function orRefuse<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new McpError(ErrorCode.InvalidParams, `there is no ${what}`)
  return found
}

function createServer(): Server {
  const server = new Server(
    { name: 'conformance-legacy', version: '1.0.0' },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {}, completions: {} } },
  )
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: legacyTools.map(({ run, ...tool }) => tool) }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = orRefuse(
      legacyTools.find(({ name }) => name === params.name),
      params.name,
    )
    return tool.run(params.arguments ?? {}, toCaller(extra))
  })
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources }))
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates }))
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => orRefuse(readResource(params.uri), params.uri))
  server.setRequestHandler(SubscribeRequestSchema, () => ({}))
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}))
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts }))
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) =>
    orRefuse(getPrompt(params.name, params.arguments), params.name),
  )
  server.setRequestHandler(CompleteRequestSchema, () => completion)
  return server
}

const sessions = new Map<string, StreamableHTTPServerTransport>()

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: createEventStore(),
    retryInterval: 100,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  await createServer().connect(transport)
  return transport
}

const app = createMcpExpressApp()
app.all('/mcp', async (request, response) => {
  const id = request.header('mcp-session-id')
  const transport = id === undefined ? await openSession() : sessions.get(id)
  if (transport === undefined) {
    response.status(404).json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } })
    return
  }
  await transport.handleRequest(request, response, request.body)
})
const listener = app.listen(0, '127.0.0.1', () => announce(listener.address()))

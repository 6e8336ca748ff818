import { createServer, type IncomingMessage } from 'node:http'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  fromJsonSchema,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import {
  announce,
  type Caller,
  completion,
  getPrompt,
  nothing,
  prompts,
  readResource,
  resources,
  resourceTemplates,
  say,
  tools,
} from './content.ts'
import { getAskingPrompt, inputRequiredTools, type ModernTool, stateCodec } from './input-required.ts'
import { serveTasks, taskTools } from './tasks.ts'

/** Revision 2026-07-28 on the 2.x SDK: no sessions, one server object per request. */

function toCaller({ mcpReq }: ServerContext): Caller {
  const progressToken = mcpReq._meta?.progressToken
  return {
    async reportProgress(progress, total) {
      if (progressToken === undefined) return
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } })
    },
  }
}

const plain = (name: string, run: ModernTool['run']): ModernTool => ({
  name,
  description: 'For the suite',
  inputSchema: nothing,
  run,
})

const modernTools: ModernTool[] = [
  ...tools.map((tool): ModernTool => ({ ...tool, run: (args, context) => tool.run(args, toCaller(context)) })),
  ...inputRequiredTools,
  plain('test_logging_tool', async (_args, { mcpReq }) => {
    await mcpReq.log('info', 'heard only by who asked for it')
    return say('logged')
  }),
  plain('test_trigger_tool_change', () => {
    handler.notify.toolsChanged()
    return say('changed')
  }),
  plain('test_trigger_prompt_change', () => {
    handler.notify.promptsChanged()
    return say('changed')
  }),
  {
    ...plain('test_custom_header', ({ region }) => say(String(region))),
    inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
  },
  ...taskTools,
]

function orRefuse<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no ${what}`)
  return found
}

const askingPrompt = { name: 'test_input_required_result_prompt', description: 'Asks first' }

function offerRest({ server }: McpServer): void {
  server.registerCapabilities({ resources: {}, prompts: { listChanged: true }, completions: {} })
  server.setRequestHandler('resources/list', () => ({ resources }))
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates }))
  server.setRequestHandler('resources/read', ({ params }) => {
    const found = readResource(params.uri)
    if (found === undefined) throw new ResourceNotFoundError(params.uri)
    return found
  })
  server.setRequestHandler('prompts/list', () => ({ prompts: [...prompts, askingPrompt] }))
  server.setRequestHandler('prompts/get', ({ params }, context) =>
    params.name === askingPrompt.name
      ? getAskingPrompt(context)
      : orRefuse(getPrompt(params.name, params.arguments), params.name),
  )
  server.setRequestHandler('completion/complete', () => completion)
}

function build(): McpServer {
  const mcp = new McpServer(
    { name: 'conformance-modern', version: '1.0.0' },
    { requestState: { verify: stateCodec.verify } },
  )
  for (const { name, description, inputSchema, run } of modernTools)
    mcp.registerTool(
      name,
      { description, inputSchema: fromJsonSchema<Record<string, unknown>>(inputSchema) },
      (args, context) => run(args, context),
    )
  // Registering lists the tools and checks their headers; calling is done here, because the SDK's own call turns every
  // refusal into a result and leaves none a protocol error.
  mcp.server.setRequestHandler('tools/call', ({ params }, context) => {
    const tool = orRefuse(
      modernTools.find(({ name }) => name === params.name),
      params.name,
    )
    return tool.run(params.arguments ?? {}, context)
  })
  offerRest(mcp)
  serveTasks(mcp)
  return mcp
}

/** With the argument sse every answer is a stream; without, only those that need to be. */
const responseMode = process.argv[2] === 'sse' ? 'sse' : 'auto'
const handler = createMcpHandler(build, { legacy: 'reject', responseMode })
const serve = toNodeHandler(handler)
const isLocalHost = localhostHostValidation()
const isLocalOrigin = localhostOriginValidation()
/** What Node's types leave open a server always has. */
const isReceived = (request: IncomingMessage): request is IncomingMessage & { method: string; url: string } =>
  request.method !== undefined && request.url !== undefined
const listener = createServer((request, response) => {
  const isWelcome = isLocalHost(request, response) && isLocalOrigin(request, response)
  if (isWelcome && isReceived(request)) serve(request, response)
})
listener.listen(0, '127.0.0.1', () => announce(listener.address()))

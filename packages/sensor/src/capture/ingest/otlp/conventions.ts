/**
 * Attribute names of the OpenTelemetry semantic conventions for MCP (status: development; names as of semantic-conventions
 * 1.45 and the GenAI conventions that MCP moved to), and behind each what earlier drafts and instrumentations call it.
 */
export const names = {
  method: ['mcp.method.name'],
  session: ['mcp.session.id'],
  protocolVersion: ['mcp.protocol.version'],
  requestId: ['jsonrpc.request.id', 'mcp.request.id', 'rpc.jsonrpc.request_id'],
  errorCode: ['rpc.response.status_code', 'rpc.jsonrpc.error_code'],
  errorMessage: ['rpc.jsonrpc.error_message', 'exception.message'],
  errorType: ['error.type'],
  toolFailed: ['mcp.tool.result.is_error'],
  tool: ['gen_ai.tool.name', 'mcp.tool.name'],
  prompt: ['gen_ai.prompt.name', 'mcp.prompt.name'],
  uri: ['mcp.resource.uri'],
  arguments: ['gen_ai.tool.call.arguments', 'mcp.request.arguments'],
  result: ['gen_ai.tool.call.result'],
  operation: ['gen_ai.operation.name'],
  conversation: ['gen_ai.conversation.id'],
  agentId: ['gen_ai.agent.id'],
  agentName: ['gen_ai.agent.name', 'mcp.client.name'],
  agentVersion: ['gen_ai.agent.version', 'mcp.client.version'],
  userId: ['user.id', 'enduser.id', 'user.name', 'user.email'],
  role: ['enduser.role'],
  serverName: ['mcp.server.name'],
  serverVersion: ['mcp.server.version'],
  serverAddress: ['server.address', 'service.peer.name', 'peer.service'],
  serverPort: ['server.port'],
  transport: ['network.transport'],
} as const

/** Of the resource: the program that made the spans. */
export const resourceNames = { service: ['service.name'], version: ['service.version'] } as const

/** Attributes with one argument each, named behind the prefix. */
export const argumentPrefixes = ['gen_ai.prompt.variable.', 'mcp.request.argument.'] as const

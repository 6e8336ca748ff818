import { uuidV7Pattern } from '@affidavit/evidence/record/id'
import { actorKinds } from '@affidavit/evidence/record/identity-section'
import { directions, outcomes } from '@affidavit/evidence/record/kinds'
import { resourceTypes } from '@affidavit/evidence/record/resources-section'
import { timestampPattern } from '@affidavit/evidence/record/timestamp'
import { z } from 'zod'

/**
 * The form of what programs post to /v1/exchanges: parser and published JSON Schema (docs/schema/ingest.schema.json) in one.
 * Members in `keptMembers` reach the parser as bytes; what they hold is judged when the record is drafted.
 */

export const keptMembers: ReadonlySet<string> = new Set(['requestId', 'params', 'result', 'error'])

const label = (max: number, description?: string) => {
  const text = z.string().min(1).max(max)
  return description === undefined ? text : text.describe(description)
}
const uuid = () => z.string().regex(uuidV7Pattern)
const count = (description: string) => z.int().min(0).describe(description)
/** JSON text whose first byte tells its type. */
const jsonText = (first: RegExp, what: string) =>
  z.instanceof(Uint8Array).refine((bytes) => first.test(String.fromCharCode(bytes[0] ?? 0)), `expected ${what}`)
const jsonObject = (description: string) => jsonText(/\{/, 'an object').meta({ type: 'object', description })

const actor = z.strictObject({
  id: label(256),
  kind: z.enum(actorKinds).exactOptional(),
  name: label(256).exactOptional(),
  version: label(256).exactOptional(),
  issuer: label(256, 'Who vouches for the id.').exactOptional(),
})

const request = {
  source: z
    .strictObject({ name: label(128), version: label(64).exactOptional() })
    .describe('The program that reports; every identity in the record names it as where it was told.'),
  vantage: z.enum(['client', 'server']).describe('At which end of the exchange the reporter stands.'),
  server: z
    .strictObject({
      name: label(256, 'As configured; the same name as elsewhere for the same server.'),
      reportedName: label(256, 'As the server calls itself.').exactOptional(),
      version: label(256).exactOptional(),
      protocolVersion: label(64).exactOptional(),
    })
    .describe('The MCP server.'),
  method: label(256, 'JSON-RPC method, e.g. tools/call.'),
  direction: z.enum(directions).exactOptional().describe('Left out: as the protocol has it for the method.'),
  requestId: jsonText(/["\d-]/, 'a string or a number')
    .meta({ type: ['string', 'number'], description: 'JSON-RPC id.' })
    .exactOptional(),
  params: jsonObject(
    'JSON-RPC params as sent, e.g. {"name": …, "arguments": …}. Redacted before it is kept.',
  ).exactOptional(),
  partial: z.boolean().exactOptional().describe('Whether params leave out something that the request had.'),
  requestBytes: count('Size of the whole JSON-RPC request.').exactOptional(),
  startedAt: z
    .string()
    .regex(timestampPattern)
    .describe('When the request was sent or arrived: UTC with milliseconds, e.g. 2026-11-20T11:03:40.123Z.')
    .exactOptional(),
  sessionId: label(1024, 'Mcp-Session-Id. Only a keyed digest is kept.').exactOptional(),
  conversationId: label(1024).exactOptional(),
  traceparent: label(256, 'W3C trace context.').exactOptional(),
  agent: actor.exactOptional(),
  workload: actor.describe('The process that runs the agent.').exactOptional(),
  user: actor.describe('On whose behalf.').exactOptional(),
  role: actor.exactOptional(),
  delegation: z.array(actor).max(32).exactOptional().describe('From the initiator to the one that calls.'),
  purpose: z
    .strictObject({ kind: z.enum(['task', 'intent']), statement: label(4096) })
    .describe('What the call is said to be for.')
    .exactOptional(),
  callGroupId: uuid().describe('callId of the first exchange of a call that spans several.').exactOptional(),
}

const outcome = {
  outcome: z.enum(outcomes).exclude(['withheld']).exactOptional().describe('Left out: what result or error says.'),
  result: jsonObject('JSON-RPC result. Kept at level full only; else an outline of it.').exactOptional(),
  error: jsonObject('JSON-RPC error: code, message.').exactOptional(),
  httpStatus: z.int().min(100).max(599).exactOptional(),
  responseBytes: count('Size of the whole JSON-RPC response.').exactOptional(),
  latencyUs: count('Microseconds from request to response.').exactOptional(),
  outline: z
    .strictObject({
      blocks: z
        .array(
          z.strictObject({ type: z.string().max(128), bytes: z.int().min(0), mimeType: label(128).exactOptional() }),
        )
        .max(64)
        .exactOptional(),
      structuredBytes: count('Size of structuredContent.').exactOptional(),
    })
    .describe('What came back, where the result itself is not reported.')
    .exactOptional(),
  resources: z
    .array(
      z.strictObject({
        type: z.enum(resourceTypes),
        name: label(1024),
        dataTypes: z.array(label(64)).max(32).exactOptional(),
        rows: count('Rows or items returned or changed.').exactOptional(),
        subjectClass: label(64, 'Whose data it is, e.g. customer.').exactOptional(),
      }),
    )
    .max(256)
    .describe('What the call touched.')
    .exactOptional(),
}

const key = label(128, 'Reported again with the same key, it is the same exchange.').exactOptional()

export const forms = {
  whole: z.strictObject({ key, ...request, ...outcome }).describe('A complete exchange.'),
  requested: z
    .strictObject({ stage: z.literal('requested'), key, ...request })
    .describe('A request that is about to go on; the answer names its callId once it is durable.'),
  completed: z
    .strictObject({ stage: z.literal('completed'), callId: uuid(), ...outcome })
    .describe('What became of a request reported before.'),
}

/** The published JSON Schema. */
export function toJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(z.union([forms.whole, forms.requested, forms.completed]), {
    unrepresentable: 'any',
    io: 'input',
  })
  return {
    $schema,
    $id: 'urn:affidavit:v1:ingest',
    title: 'What a program reports of an MCP exchange: the body of POST /v1/exchanges, one object a line',
    ...schema,
  }
}

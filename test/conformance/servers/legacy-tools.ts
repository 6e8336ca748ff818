import type { CreateMessageRequest, ElicitRequestFormParams } from '@modelcontextprotocol/sdk/types.js'
import { type Caller, nothing, pause, say, type Tool, tools } from './content.ts'

/** In the legacy era a tool may turn to its caller while it runs. */
export interface LegacyCaller extends Caller {
  log(text: string): Promise<void>
  /** Resolves with the action, and what was filled in, as JSON. */
  elicit(params: ElicitRequestFormParams): Promise<string>
  /** Resolves with what the caller's model said, as JSON. */
  sample(params: CreateMessageRequest['params']): Promise<string>
  /** Ends the stream of this call; its answer waits for a later one. */
  closeStream(): void
}

type Properties = ElicitRequestFormParams['requestedSchema']['properties']

const form = (message: string, properties: Properties, required: string[] = []): ElicitRequestFormParams => ({
  mode: 'form',
  message,
  requestedSchema: { type: 'object', properties, required },
})

const defaults: Properties = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
}

const titled = (word: string) => [1, 2, 3].map((n) => ({ const: `value${n}`, title: `${word} ${n}` }))
const enums: Properties = {
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
}

const text = { type: 'string' as const }

export const legacyTools: Tool<LegacyCaller>[] = [
  ...tools,
  {
    name: 'test_tool_with_logging',
    description: 'Logs while it works',
    inputSchema: nothing,
    async run(_args, caller) {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await caller.log(line)
        await pause(50)
      }
      return say('logged')
    },
  },
  {
    name: 'test_sampling',
    description: 'Asks the model of its caller',
    inputSchema: { type: 'object', properties: { prompt: text }, required: ['prompt'] },
    async run({ prompt }, caller) {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: String(prompt) } }]
      return say(`LLM response: ${await caller.sample({ messages, maxTokens: 100 })}`)
    },
  },
  {
    name: 'test_elicitation',
    description: 'Asks the user of its caller',
    inputSchema: { type: 'object', properties: { message: text }, required: ['message'] },
    run: async ({ message }, caller) =>
      say(await caller.elicit(form(String(message), { username: text, email: text }, ['username', 'email']))),
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks with defaults',
    inputSchema: nothing,
    run: async (_args, caller) => say(await caller.elicit(form('Please review', defaults))),
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks for choices of every kind',
    inputSchema: nothing,
    run: async (_args, caller) => say(await caller.elicit(form('Please choose', enums))),
  },
  {
    name: 'test_reconnection',
    description: 'Answers on the stream after the next',
    inputSchema: nothing,
    async run(_args, caller) {
      caller.closeStream()
      await pause(100)
      return say('found again')
    },
  },
]

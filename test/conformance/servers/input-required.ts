import { randomBytes } from 'node:crypto'
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { nothing, type Outcome, say, type Tool } from './content.ts'

/** In the modern era a tool that needs something of its caller answers with what it needs, and is called again. */
export type ModernTool = Omit<Tool, 'run'> & {
  run(args: Record<string, unknown>, context: ServerContext): AnyOutcome | Promise<AnyOutcome>
}
export type AnyOutcome = Outcome | InputRequiredResult

export const stateCodec = createRequestStateCodec<{ round: number }>({ key: randomBytes(32) })

const elicit = (message: string, field: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] },
  })
const sample = (text: string) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 100 })

/** What the caller declared with this request. */
export function capabilitiesOf({ mcpReq }: ServerContext): object {
  const envelope: Record<string, unknown> = { ...mcpReq.envelope }
  const declared = envelope[CLIENT_CAPABILITIES_META_KEY]
  return typeof declared === 'object' && declared !== null ? declared : {}
}

const answersOf = ({ mcpReq }: ServerContext): Record<string, unknown> => mcpReq.inputResponses ?? {}
const isAnswered = (context: ServerContext, requests: Record<string, InputRequest>) =>
  Object.keys(requests).every((key) => key in answersOf(context))

/** A tool that asks until everything is answered, then says what it was told. */
const asking = (name: string, requests: Record<string, InputRequest>): ModernTool => ({
  name,
  description: 'Asks before it answers',
  inputSchema: nothing,
  run: (_args, context) =>
    isAnswered(context, requests)
      ? say(JSON.stringify(answersOf(context)))
      : inputRequired({ inputRequests: requests }),
})

/** The same, but it believes only who brings back the state that it gave out. */
const keepingState = (name: string, requests: Record<string, InputRequest>): ModernTool => ({
  ...asking(name, requests),
  async run(_args, context) {
    const held = context.mcpReq.requestState<{ round: number }>()
    if (held !== undefined && isAnswered(context, requests)) return say('state-ok')
    return inputRequired({ inputRequests: requests, requestState: await stateCodec.mint({ round: 1 }) })
  },
})

export const askName = { user_name: elicit('What is your name?', 'name') }
const greet: ModernTool['run'] = (_args, { mcpReq }) => {
  const name = acceptedContent(mcpReq.inputResponses, 'user_name')?.name
  return typeof name === 'string' ? say(`Hello, ${name}!`) : inputRequired({ inputRequests: askName })
}

const multiRound: ModernTool['run'] = async (_args, { mcpReq }) => {
  const round = mcpReq.requestState<{ round: number }>()?.round ?? 0
  if (round === 2) return say('both rounds done')
  const step: InputRequest =
    round === 0 ? elicit('Step 1: your name?', 'name') : elicit('Step 2: your colour?', 'color')
  const requestState = await stateCodec.mint({ round: round + 1 })
  return inputRequired({ inputRequests: { [`step${round + 1}`]: step }, requestState })
}

/** Asks only for what the caller declared that it can do. */
const withinCapabilities: ModernTool['run'] = (_args, context) => {
  const declared = capabilitiesOf(context)
  const requests: Record<string, InputRequest> = {}
  if ('sampling' in declared) requests.thought = sample('What now?')
  if ('elicitation' in declared) requests.word = elicit('Which word?', 'word')
  return Object.keys(requests).length > 0 ? inputRequired({ inputRequests: requests }) : say('nobody to ask')
}

const confirm = { confirm: elicit('Please confirm', 'ok') }
const tool = (name: string, run: ModernTool['run']): ModernTool => ({ ...asking(name, {}), run })

export const inputRequiredTools: ModernTool[] = [
  tool('test_input_required_result_elicitation', greet),
  asking('test_input_required_result_sampling', { capital_question: sample('What is the capital of France?') }),
  asking('test_input_required_result_list_roots', { client_roots: inputRequired.listRoots() }),
  keepingState('test_input_required_result_request_state', confirm),
  keepingState('test_input_required_result_tampered_state', confirm),
  keepingState('test_input_required_result_multiple_inputs', {
    ...askName,
    greeting: sample('Generate a greeting'),
    client_roots: inputRequired.listRoots(),
  }),
  tool('test_input_required_result_multi_round', multiRound),
  tool('test_input_required_result_capabilities', withinCapabilities),
  asking('test_missing_capability', { thought: sample('Think') }),
  asking('test_streaming_elicitation', { word: elicit('Which word?', 'word') }),
]

const askContext = { user_context: elicit('What context should the prompt use?', 'context') }

/** The prompt that needs an answer before it has messages. */
export function getAskingPrompt(context: ServerContext) {
  if (!isAnswered(context, askContext)) return inputRequired({ inputRequests: askContext })
  const text = JSON.stringify(answersOf(context))
  return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }] }
}

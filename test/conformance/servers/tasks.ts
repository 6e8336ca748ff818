import { randomUUID } from 'node:crypto'
import {
  fromJsonSchema,
  type InputRequest,
  inputRequired,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { nothing, type Outcome, pause, say } from './content.ts'
import { askName, capabilitiesOf, type ModernTool } from './input-required.ts'

/** The tasks extension, kept in memory: a call that takes long is answered with a task, and the task is asked for. */
const extension = 'io.modelcontextprotocol/tasks'

interface TaskState {
  taskId: string
  status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'
  createdAt: string
  lastUpdatedAt: string
  ttlMs: number
  pollIntervalMs: number
  result?: Outcome
  error?: { code: number; message: string }
  inputRequests?: Record<string, InputRequest>
}
interface Job {
  state: TaskState
  answers: Record<string, unknown>
  proceed(): Promise<Outcome>
}
const jobs = new Map<string, Job>()

function settle({ state }: Job, change: Partial<TaskState>): void {
  if (['completed', 'failed', 'cancelled'].includes(state.status)) return
  Object.assign(state, change, { lastUpdatedAt: new Date().toISOString() })
}

async function work(job: Job): Promise<void> {
  try {
    settle(job, { status: 'completed', result: await job.proceed() })
  } catch (error) {
    settle(job, { status: 'failed', error: { code: ProtocolErrorCode.InternalError, message: String(error) } })
  }
}

/** Starts the work, or, where it needs answers, waits for them. */
function startTask(proceed: Job['proceed'], inputRequests: Record<string, InputRequest> = {}): Outcome {
  const now = new Date().toISOString()
  const times = { createdAt: now, lastUpdatedAt: now, ttlMs: 60_000, pollIntervalMs: 100 }
  const job: Job = { state: { taskId: randomUUID(), status: 'working', ...times }, answers: {}, proceed }
  jobs.set(job.state.taskId, job)
  const created = { ...job.state }
  if (Object.keys(inputRequests).length > 0) settle(job, { status: 'input_required', inputRequests })
  else void work(job)
  return { content: [], resultType: 'task', ...created }
}

function takesTasks(context: ServerContext): boolean {
  const declared = capabilitiesOf(context)
  if (!('extensions' in declared)) return false
  return typeof declared.extensions === 'object' && declared.extensions !== null && extension in declared.extensions
}

function requireTasks(context: ServerContext): void {
  if (takesTasks(context)) return
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [extension]: {} } } })
}

const tool = (name: string, inputSchema: ModernTool['inputSchema'], run: ModernTool['run']): ModernTool => ({
  name,
  description: 'Work for a task',
  inputSchema,
  run,
})
/** A tool whose answer always is a task. */
const taskOnly = (name: string, start: ModernTool['run']) =>
  tool(name, nothing, (args, context) => {
    requireTasks(context)
    return start(args, context)
  })
const ask = (message: string): InputRequest =>
  inputRequired.elicit({ message, requestedSchema: { type: 'object', properties: { confirm: { type: 'boolean' } } } })

export const taskTools: ModernTool[] = [
  tool('greet', { type: 'object', properties: { name: { type: 'string' } } }, ({ name }) => say(`Hello, ${name}!`)),
  tool('slow_compute', { type: 'object', properties: { seconds: { type: 'number' } } }, ({ seconds }, context) => {
    const compute = async () => {
      await pause(Number(seconds) * 1000)
      return say('computed')
    }
    return takesTasks(context) ? startTask(compute) : compute()
  }),
  taskOnly('failing_job', () => startTask(async () => ({ ...say('it failed'), isError: true }))),
  taskOnly('protocol_error_job', () =>
    startTask(() => Promise.reject(new ProtocolError(ProtocolErrorCode.InternalError, 'it broke'))),
  ),
  taskOnly('confirm_delete', () => startTask(async () => say('deleted'), { confirm: ask('Really?') })),
  taskOnly('multi_input', () => startTask(async () => say('both'), { first: ask('First?'), second: ask('Second?') })),
  taskOnly('test_tool_with_task', (_args, { mcpReq }) => {
    const told = mcpReq.inputResponses
    return told === undefined
      ? inputRequired({ inputRequests: askName })
      : startTask(async () => say(JSON.stringify(told)))
  }),
]

function find(taskId: string): Job {
  const job = jobs.get(taskId)
  if (job === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'there is no such task')
  return job
}

function answer(job: Job, responses: Record<string, unknown>): void {
  const open = { ...job.state.inputRequests }
  for (const key of Object.keys(responses)) delete open[key]
  settle(job, { inputRequests: open })
  if (job.state.status !== 'input_required' || Object.keys(open).length > 0) return
  delete job.state.inputRequests
  settle(job, { status: 'working' })
  void work(job)
}

const byId = fromJsonSchema<{ taskId: string }>({
  type: 'object',
  properties: { taskId: { type: 'string' } },
  required: ['taskId'],
})

export function serveTasks({ server }: McpServer): void {
  server.registerCapabilities({ extensions: { [extension]: {} } })
  server.setRequestHandler('tasks/get', { params: byId }, ({ taskId }, context) => {
    requireTasks(context)
    return { ...find(taskId).state }
  })
  server.setRequestHandler('tasks/update', { params: byId }, ({ taskId }, context) => {
    requireTasks(context)
    answer(find(taskId), context.mcpReq.inputResponses ?? {})
    return {}
  })
  server.setRequestHandler('tasks/cancel', { params: byId }, ({ taskId }, context) => {
    requireTasks(context)
    settle(find(taskId), { status: 'cancelled' })
    return {}
  })
}

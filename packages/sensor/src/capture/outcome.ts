import type { Outcome } from '@affidavit/evidence/record/kinds'
import { type ScannedMessage, textOf } from './message.ts'

const integer = /^-?(?:0|[1-9]\d{0,15})$/
const ascii = new TextDecoder('latin1')

/**
 * What a response says came of the call. `error` decides before `result` where a peer sent both. A result that asks for
 * more input (resultType `input_required`) or announces a task (resultType `task`, or `task` in the 2025-11-25 revision)
 * is no outcome yet.
 */
export function outcomeOf(response: ScannedMessage, method: string): Outcome {
  if (response.spans.has('error')) return 'protocol_error'
  if (response.spans.get('result.isError')?.type === 'true') return 'tool_error'
  const resultType = textOf(response.spans.get('result.resultType'))
  if (resultType === 'input_required' || resultType === 'task') return 'continued'
  if (!method.startsWith('tasks/') && response.spans.has('result.task.taskId')) return 'continued'
  return method === 'tasks/get' ? outcomeOfTask(response) : 'success'
}

/**
 * What came of the task that `tasks/get` shows: its own success says nothing of it. Since 2026-07-28 the answer holds the
 * task's result or error; before, `tasks/result` does, and a failed task may be either.
 */
function outcomeOfTask({ spans }: ScannedMessage): Outcome {
  const status = textOf(spans.get('result.status'))
  if (status === 'working' || status === 'input_required') return 'continued'
  if (status === 'cancelled') return 'cancelled'
  if (status === 'failed') return spans.has('result.error') ? 'protocol_error' : 'tool_error'
  return spans.get('result.result.isError')?.type === 'true' ? 'tool_error' : 'success'
}

/** JSON-RPC error code, also of a task that failed, where it is an integer that a header can hold. */
export function rpcCodeOf(response: ScannedMessage): number | undefined {
  const code = response.spans.get('error.code') ?? response.spans.get('result.error.code')
  if (code?.type !== 'number' || code.raw === undefined) return undefined
  const text = ascii.decode(code.raw)
  const value = integer.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : undefined
}

/** Id of the task a result announces or a request asks about. */
export function taskIdOf(message: ScannedMessage): string | undefined {
  const { spans } = message
  return (
    textOf(spans.get('params.taskId')) ??
    textOf(spans.get('result.task.taskId')) ??
    (textOf(spans.get('result.resultType')) === 'task' ? textOf(spans.get('result.taskId')) : undefined)
  )
}

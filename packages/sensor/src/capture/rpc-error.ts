import type { DenialCode, DenialFacts } from './denial.ts'

/** The JSON-RPC errors that are ours. Their codes lie outside −32768…−32000, which JSON-RPC 2.0 §5.1 reserves. */

export const rpcCodes = {
  auditUnavailable: -31001,
  resultWithheld: -31002,
  upstreamFailed: -31003,
  denied: -31004,
} as const

export interface RpcError {
  code: number
  message: string
  /** `code` is the stable one (AFD_…), `cause` what the recorder said; `retry` is about the call, `executed` about the server. */
  data: {
    code: string
    cause: string
    retry: boolean
    executed: boolean | 'unknown'
    callId?: string
    policies?: readonly string[]
    approvalId?: string
    problem?: string
  }
}

/** Why an emit failed, as far as it may be told: codes, never values. */
export interface Failure {
  cause: string
  retry: boolean
}

/** Nothing was recorded, so nothing was sent on. */
export function auditUnavailable(failure: Failure, callId?: string): RpcError {
  const advice = failure.retry ? 'it may be retried' : 'retrying it unchanged will not help'
  return {
    code: rpcCodes.auditUnavailable,
    message: `Affidavit could not record this call (${failure.cause}); it was not executed, ${advice}`,
    data: { code: 'AFD_AUDIT_UNAVAILABLE', ...failure, executed: false, ...named(callId) },
  }
}

/** The call was recorded and executed; only what came of it could not be. */
export function resultWithheld(failure: Failure, callId?: string): RpcError {
  return {
    code: rpcCodes.resultWithheld,
    message: `The call was executed, but Affidavit could not record its result (${failure.cause}) and withholds it; do not retry`,
    data: { code: 'AFD_RESULT_WITHHELD', cause: failure.cause, retry: false, executed: true, ...named(callId) },
  }
}

/** The server gave no answer that could be passed on. What `executed` says is all that is known. */
export function upstreamFailed(cause: string, executed: false | 'unknown'): RpcError {
  const known = executed === false ? 'the call was not executed' : 'whether the call was executed is not known'
  return {
    code: rpcCodes.upstreamFailed,
    message: `The MCP server behind Affidavit gave no answer (${cause}); ${known}`,
    data: { code: 'AFD_UPSTREAM_FAILED', cause, retry: executed === false, executed },
  }
}

/** Policy refused the message, or another one that came in the same batch. `callId` names its record. */
export function denied(cause: DenialCode | 'batch', reason: string, facts: DenialFacts = {}) {
  const { policies = [], approvalId, problem } = facts
  return (callId?: string): RpcError => ({
    code: rpcCodes.denied,
    message: `Affidavit refused this call: ${reason}; it was not executed`,
    data: {
      code: 'AFD_POLICY_DENIED',
      cause,
      retry: false,
      executed: false,
      ...named(callId),
      ...(policies.length === 0 ? {} : { policies }),
      ...(approvalId === undefined ? {} : { approvalId }),
      ...(problem === undefined ? {} : { problem }),
    },
  })
}

const named = (callId: string | undefined) => (callId === undefined ? {} : { callId })
export const idNull = Buffer.from('null')

/** One complete JSON-RPC error response with LF. The id is copied byte for byte; without one it is null (JSON-RPC 2.0 §5). */
export function encodeErrorLine(id: Uint8Array | undefined, error: RpcError): Uint8Array {
  return Buffer.concat([encodeError(id, error), Buffer.from('\n')])
}

/** The answer to a refused batch: one line, one array, one error per element that had an id. */
export function encodeErrorBatch(errors: readonly { id: Uint8Array; error: RpcError }[]): Uint8Array {
  const parts = errors.flatMap(({ id, error }, i) => [Buffer.from(i === 0 ? '[' : ','), encodeError(id, error)])
  return Buffer.concat([...parts, Buffer.from(']\n')])
}

function encodeError(id: Uint8Array | undefined, error: RpcError): Uint8Array {
  return Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":'),
    id ?? idNull,
    Buffer.from(`,"error":${JSON.stringify(error)}}`),
  ])
}

/** Reads the code of whatever an emit rejected with. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { cause: 'defect', retry: false }
  // Without a code it is a defect of ours; its name tells which, its message might quote a value.
  if (!('code' in error) || typeof error.code !== 'string') return { cause: `defect_${error.name}`, retry: false }
  return { cause: error.code, retry: !('retry' in error) || error.retry !== false }
}

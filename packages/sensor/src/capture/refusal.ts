import type { Uuid } from '@affidavit/evidence/record/header'
import type { DenialError } from './denial.ts'
import { bytesOf, type CapturedLine, type Verdict } from './line.ts'
import { formOf, type ScannedMessage } from './message.ts'
import {
  auditUnavailable,
  denied,
  encodeErrorBatch,
  encodeErrorLine,
  type Failure,
  idNull,
  type RpcError,
  resultWithheld,
} from './rpc-error.ts'

/** Someone who has to learn that a message did not go on. */
export interface Addressee {
  form: 'request' | 'response'
  /** Bytes of the id, copied as they came. */
  id: Uint8Array
  callId?: Uuid
}

/**
 * What becomes of a line that could not be recorded. Requests are answered to who sent them, results are replaced for who
 * waits for them, and a line nobody can answer is answered with id null where it came from the client.
 */
export function refuse(line: CapturedLine, addressees: readonly Addressee[], failure: Failure): Verdict {
  const errorsFor = (form: Addressee['form'], toError: (callId?: Uuid) => RpcError) =>
    addressees.flatMap((each) => (each.form === form ? [{ id: each.id, error: toError(each.callId) }] : []))
  const replies = errorsFor('request', (callId) => auditUnavailable(failure, callId))
  const instead = errorsFor('response', (callId) => resultWithheld(failure, callId))
  const isUnanswerable = addressees.length === 0 && line.direction === 'client-to-server'
  return {
    pass: false,
    instead: encode(line, instead),
    reply: isUnanswerable ? encodeErrorLine(undefined, auditUnavailable(failure)) : encode(line, replies),
  }
}

/**
 * What becomes of a line that policy refused, or one of its elements: a batch goes on as a whole or not at all, and each
 * element learns whether it was meant.
 */
export function refuseDenied(
  line: CapturedLine,
  addressees: readonly Addressee[],
  [first, ...others]: readonly [DenialError, ...DenialError[]],
): Verdict {
  const say = ({ code, message, facts }: DenialError, callId?: Uuid) => denied(code, message, facts)(callId)
  const errorFor = ({ callId }: Addressee): RpcError => {
    const own = [first, ...others].find((denial) => denial.callId === undefined || denial.callId === callId)
    return own === undefined ? denied('batch', 'another element of its batch was refused')(callId) : say(own, callId)
  }
  const errorsFor = (form: Addressee['form']) =>
    addressees.flatMap((each) => (each.form === form ? [{ id: each.id, error: errorFor(each) }] : []))
  return {
    pass: false,
    instead: encode(line, errorsFor('response')),
    reply:
      addressees.length === 0
        ? encodeErrorLine(undefined, say(first, first.callId))
        : encode(line, errorsFor('request')),
    status: first.code === 'ambiguous' ? 400 : 403,
  }
}

/** Everybody a line would have reached or answered, for lines that capture never took. */
export function addresseesOf(line: CapturedLine): Addressee[] {
  return line.scanned.messages.flatMap((message) => {
    const form = formOf(message)
    const id = idBytesOf(line, message)
    return (form === 'request' || form === 'response') && id !== undefined ? [{ form, id }] : []
  })
}

/** One error for every request of a line, in the form the line had; undefined where nobody waits for an answer. */
export function answerRequests(line: CapturedLine, error: RpcError): Uint8Array | undefined {
  const asked = addresseesOf(line).filter(({ form }) => form === 'request')
  return encode(
    line,
    asked.map(({ id }) => ({ id, error })),
  )
}

/**
 * The bytes of a message's id. Where it is too long to keep and its line is not in memory, null stands for it, as JSON-RPC
 * 2.0 §5 has it for ids that could not be read.
 */
export function idBytesOf(line: CapturedLine, message: ScannedMessage): Uint8Array | undefined {
  const id = message.spans.get('id')
  return id === undefined ? undefined : (id.raw ?? bytesOf(line, id) ?? idNull)
}

function encode(line: CapturedLine, errors: { id: Uint8Array; error: RpcError }[]): Uint8Array | undefined {
  const [only] = errors
  if (only === undefined) return undefined
  return line.scanned.shape === 'batch' ? encodeErrorBatch(errors) : encodeErrorLine(only.id, only.error)
}

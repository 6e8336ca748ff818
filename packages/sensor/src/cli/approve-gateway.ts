import { createHash } from 'node:crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { type ApprovalRequest, encodeApprovalRequest, parseApprovalRequest } from '@affidavit/evidence/wire/approval'
import { isSecureUrl } from '../identity/fetch-json.ts'
import { ApprovalError, isApprovalErrorCode } from './approval-error.ts'
import type { ApprovalPlace } from './approve.ts'
import { UsageError } from './usage-error.ts'

const timeoutMs = 15_000
const answerBytesMax = 64 * 1024 * 1024

/** Decides at a gateway, which verifies the token itself. The token goes there and nowhere else, and is written nowhere. */
export function openGatewayPlace(url: string, token: string): ApprovalPlace {
  if (!isSecureUrl(url))
    throw new UsageError(
      'AFD_USAGE',
      '--gateway takes https://HOST:PORT, or http:// to this machine',
      'A token goes there.',
    )
  const ask = (path: string, body?: object) => send(new URL(path, url).href, token, body)
  return {
    async list() {
      const text = await ask('/approvals')
      return text.split('\n').flatMap((line) => (line === '' ? [] : [parse(line)]))
    },
    find: async (id) => parse((await ask(`/approvals/${id}`)).trimEnd()),
    async decide(request, verdict) {
      const hash = createHash('sha256').update(encodeApprovalRequest(request)).digest('base64')
      await ask(`/approvals/${request.id}`, { verdict, request: hash })
    },
  }
}

async function send(url: string, token: string, body: object | undefined): Promise<string> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    text = await response.text()
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error
    throw new ApprovalError('approval_unreachable', 'the gateway gives no answer; see its address')
  }
  if (response.status === 200 && text.length <= answerBytesMax) return text
  throw toError(response.status, text)
}

function toError(status: number, text: string): ApprovalError {
  const found = /"code":"AFD_([A-Z_]{1,64})","message":"([^"\\]{0,1000})"/.exec(text)
  const code = found?.[1]?.toLowerCase()
  if (isApprovalErrorCode(code)) return new ApprovalError(code, found?.[2] ?? '')
  return new ApprovalError('approval_unreachable', `the gateway takes no approvals by token here (HTTP ${status})`)
}

function parse(line: string): ApprovalRequest {
  try {
    return parseApprovalRequest(Buffer.from(line))
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    throw new ApprovalError('approval_unreachable', 'the gateway gives an answer that cannot be read')
  }
}

import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { type Actor, parseIdentity } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { type ApprovalActor, type ApprovalRequest, approvalArgumentBytesMax } from '@affidavit/evidence/wire/approval'
import type { ApprovalQuestion } from '../policy/approval.ts'
import { hasArguments } from '../policy/asked.ts'
import type { PolicyRequest } from '../policy/decision-point.ts'
import { castOf } from '../policy/principal.ts'

/** What a request says of the call itself; the rest of it says when and under which id it was asked. */
export type CallPart = Pick<
  ApprovalRequest,
  'server' | 'method' | 'target' | 'effect' | 'actors' | 'arguments' | 'policies' | 'windowSeconds' | 'uses'
>

/** How long approvals count, and for how many calls. */
export interface ApprovalTerms {
  openSeconds: number
  windowSeconds: number
  uses: number
}

/** Undefined: nothing that an approval could be bound to. */
export function describeCall(
  { request, policies, privacy }: ApprovalQuestion,
  { windowSeconds, uses }: ApprovalTerms,
): CallPart | undefined {
  const { server, method, target, effect, identity } = request
  if (target === undefined || target.name === '' || request.argumentsMissing !== undefined) return undefined
  const isListed = target.type === 'Tool' && target.isListed
  const redact = (json: string) => new TextDecoder().decode(privacy.redact(Buffer.from(json)))
  const name: unknown = JSON.parse(redact(JSON.stringify(target.name)))
  const args = argumentsOf(request)
  return {
    server,
    method,
    target: {
      type: target.type,
      name: typeof name === 'string' && (privacy.keepsValues || isListed) ? clipText(name, 1_024) : notKept,
    },
    effect,
    actors: actorsOf(identity),
    ...(args === undefined || !privacy.keepsValues
      ? {}
      : { arguments: clipText(redact(new TextDecoder().decode(args)), approvalArgumentBytesMax) }),
    policies: policies.slice(0, policiesMax),
    windowSeconds,
    uses,
  }
}

const policiesMax = 64
const notKept = '(not kept at level metadata)'

/** Only calls of tools and prompts have arguments; a resource is named by its URI alone. */
function argumentsOf({ method, arguments: json }: PolicyRequest): Uint8Array | undefined {
  return hasArguments(method) ? json : undefined
}

/**
 * Of the exact bytes: two parsers may read the same bytes alike and still differ over bytes that mean the same, such as
 * integers beyond 2^53. What was approved is what is sent. Each part goes in under its length.
 */
export function digestCall(
  { request, digest }: Pick<ApprovalQuestion, 'request' | 'digest'>,
  salt: Uint8Array,
): KeyedDigest {
  const { server, method, target } = request
  const parts = [salt, server, method, target?.type ?? '', target?.name ?? '', argumentsOf(request) ?? '']
  const framed = parts.flatMap((part) => {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    return [Buffer.from(`${bytes.length}\n`), bytes]
  })
  return digest(Buffer.concat([Buffer.from('affidavit approval call v1\n'), ...framed]))
}

/** Who an approval is bound to. Processes come and go; what they run, and who started them, stays. */
function actorsOf(identity: Uint8Array): ApprovalActor[] {
  const parsed = parseIdentity(identity)
  const { agent, user, workload } = parsed
  const named = (as: ApprovalActor['as'], actor: Actor | { absent: string } | undefined): ApprovalActor[] => {
    if (actor === undefined || 'absent' in actor) return []
    const { id, assurance, issuer } = actor
    return [{ as, id, assurance, ...(issuer === undefined ? {} : { issuer }) }]
  }
  return [
    ...named('agent', agent),
    ...named('user', user),
    ...named('workload', workload),
    ...named('initiator', castOf(parsed).initiator),
  ]
}

import type { AuthDetail } from '@affidavit/evidence/record/header'
import type { AuthEvent, GuardRequest, Refused } from './admission.ts'
import { absentPrincipals, createDescribeBearer, type DescribeOptions } from './bearer.ts'
import type { JudgedBearer } from './bearer-judge.ts'
import { tellOf } from './news.ts'
import { isRefusalCode, type RefusalCode, reasonOf } from './refusal-code.ts'
import { createRefusalRation } from './refusal-ration.ts'
import { challengeFor, type ProtectedResource } from './resource-metadata.ts'
import type { UpstreamGrant } from './upstream-token.ts'

/** Turns reasons into answers and records. */
export interface Refuse {
  /** Whom the request names is `claimed` in the record: nobody found it true. */
  unverified(code: RefusalCode, request: GuardRequest): Refused
  verified(code: RefusalCode, request: GuardRequest, bearer: JudgedBearer): Refused
  drain(): AuthEvent[]
  /** It could not be recorded: it is counted instead. */
  giveBack(detail: AuthDetail): void
}

export interface RefuseOptions extends DescribeOptions {
  resource: ProtectedResource
  grant: UpstreamGrant['grant']
}

const retryAfterSeconds = 5

export function createRefuse({ resource, grant, ...by }: RefuseOptions): Refuse {
  const describe = createDescribeBearer(by)
  const ration = createRefusalRation<RefusalCode>()
  const answer = (code: RefusalCode, nowMs: number, event: () => AuthEvent): Refused => {
    const { status, sentence } = reasonOf(code)
    const challenge = challengeFor(code, resource)
    const headers: Refused['headers'] = [['cache-control', 'no-store']]
    if (challenge !== undefined) headers.push(['www-authenticate', challenge])
    if (status === 503) headers.push(['retry-after', String(retryAfterSeconds)])
    return { verdict: 'refused', status, headers, code, sentence, events: ration.take(code, nowMs) ? [event()] : [] }
  }
  const detailOf = (code: RefusalCode): AuthDetail =>
    code.startsWith('exchange_') ? { event: 'exchange_failed', code, grant } : { event: 'refused', code }
  return {
    unverified: (code, request) =>
      answer(code, request.nowMs, () => {
        const principals = describe(authorizationOf(request), code)
        const { token } = principals
        return {
          detail: { ...detailOf(code), ...('digest' in token ? { fingerprint: token.digest } : {}) },
          principals,
        }
      }),
    verified: (code, { nowMs }, bearer) =>
      answer(code, nowMs, () => ({
        detail: { ...detailOf(code), ...tellOf(bearer) },
        principals: bearer.principals,
      })),
    giveBack({ code, count = 1 }) {
      if (isRefusalCode(code)) ration.add(code, count)
    },
    drain: () =>
      ration.drain().map(({ code, count }) => ({ detail: { ...detailOf(code), count }, principals: counted })),
  }
}

export const counted = absentPrincipals('refusals of a flood are counted, not described')

/** Whichever comes first: a request that carries several is refused. */
export function authorizationOf({ headers }: GuardRequest): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1]
}

import type { AuthDetail } from '@affidavit/evidence/record/header'
import type { AuthEvent, GuardRequest } from './admission.ts'
import { createDescribeBearer, type Digest } from './bearer.ts'
import { createBearerJudge } from './bearer-judge.ts'
import { createBoundedMap } from './bounded-map.ts'
import type { Redact } from './claims.ts'
import { createNews } from './news.ts'
import { openTrust, type TrustOptions } from './open-trust.ts'
import type { Principals } from './principals.ts'
import { isRefusalCode, orRefusal, Refusal, type RefusalCode } from './refusal-code.ts'
import { createRefusalRation } from './refusal-ration.ts'
import { authorizationOf, counted } from './refuse.ts'

/** Verifies credentials for the record alone: whoever they are for decides, and no call waits for long or fails here. */
export interface CredentialObserver {
  /** Rejects on a defect only. */
  observe(request: GuardRequest): Promise<Observed>
  /** Refusals that were counted instead of told one by one: to be recorded every few seconds, and at the end. */
  drainRefusals(): AuthEvent[]
  /** These events could not be recorded; they come again, refusals as counts. */
  giveBack(events: readonly AuthEvent[]): void
  close(): void
}

export interface Observed {
  /** The same object for the same credential and verdict. */
  principals: Principals
  events: AuthEvent[]
}

export interface ObserverOptions extends TrustOptions {
  digest: Digest
  redact: Redact
  /** Credentials that another judge is asked about: that none of the issuers made them is no news. */
  isElsewhere?: (authorization: string) => boolean
  /** How long a call waits for keys or an introspection before it goes on with a claimed identity. */
  waitMaxMs?: number
}

const waitMaxMsDefault = 1_000
const rememberedMax = 8192

export function createCredentialObserver(options: ObserverOptions): CredentialObserver {
  const { digest, redact, waitMaxMs = waitMaxMsDefault } = options
  const ended = new AbortController()
  const trust = openTrust(options, ended.signal)
  const judge = createBearerJudge(trust, options)
  const describe = createDescribeBearer({ digest, redact, readingOf: trust.readingOf })
  const news = createNews()
  const refusals = createTold()
  trust.warm(Date.now())

  return {
    async observe(request) {
      const authorization = authorizationOf(request)
      // Nothing to judge, and nothing to say of it.
      if (authorization === undefined) return { principals: describe(undefined), events: [] }
      const judged = await within(waitMaxMs, orRefusal(judge(request)))
      if (judged !== undefined && !(judged instanceof Refusal))
        return { principals: judged.principals, events: news.ofBearer(judged).map(observed) }
      const code = judged?.code ?? lateCodeOf(authorization)
      const principals = describe(authorization, code)
      if (code === 'unknown_issuer' && options.isElsewhere?.(authorization) === true) return { principals, events: [] }
      return { principals, events: refusals.tell(code, principals, request.nowMs) }
    },
    drainRefusals: refusals.drain,
    giveBack(events) {
      for (const { detail } of events) {
        news.giveBack(detail)
        refusals.giveBack(detail)
      }
    },
    close: () => ended.abort(),
  }
}

/** Who did not answer in time: a token with two dots waits for keys, any other for an introspection. */
function lateCodeOf(authorization: string): RefusalCode {
  return authorization.split('.').length === 3 ? 'keys_unavailable' : 'introspection_unavailable'
}

/** Undefined where it takes longer; it goes on, and the next call finds what came of it. */
async function within<V>(limitMs: number, work: Promise<V>): Promise<V | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function observed({ detail, principals }: AuthEvent): AuthEvent {
  return { detail: { ...detail, mode: 'observe' }, principals }
}

/** Each credential is told once for each code, and a flood of them is counted. */
function createTold() {
  const told = createBoundedMap<true>(rememberedMax)
  const ration = createRefusalRation<RefusalCode>()
  const detailOf = (code: RefusalCode): AuthDetail => ({ event: 'refused', mode: 'observe', code })
  return {
    tell(code: RefusalCode, principals: Principals, nowMs: number): AuthEvent[] {
      const { token } = principals
      const fingerprint = 'digest' in token ? { fingerprint: token.digest } : {}
      const name = `${code} ${fingerprint.fingerprint ?? 'too short to be told apart'}`
      const isTold = told.get(name) !== undefined
      told.set(name, true)
      if (isTold || !ration.take(code, nowMs)) return []
      return [{ detail: { ...detailOf(code), ...fingerprint }, principals }]
    },
    giveBack({ event, code, count = 1 }: AuthDetail): void {
      if (event === 'refused' && isRefusalCode(code)) ration.add(code, count)
    },
    drain: (): AuthEvent[] =>
      ration.drain().map(({ code, count }) => ({ detail: { ...detailOf(code), count }, principals: counted })),
  }
}

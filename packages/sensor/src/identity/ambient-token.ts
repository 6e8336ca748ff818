import type { AuthDetail } from '@affidavit/evidence/record/header'
import type { Grounds } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { AuthEvent } from './admission.ts'
import { parseJwtText } from './jwt-text.ts'
import type { Principals } from './principals.ts'
import { Refusal, type RefusalCode, reasonOf } from './refusal-code.ts'
import { SupplyError, type TokenSupply } from './token-supply.ts'

/** The token that a process was given, read once and again before it expires; nobody presents it with a request. */
export interface AmbientToken {
  /** Whom it names, the same object while nothing changes. Undefined: there is none, or none yet. */
  current(nowMs: number): Principals | undefined
  close(): void
}

export interface AmbientTokenOptions {
  supply: TokenSupply
  /** Whom a token claims to name. */
  describe: (token: string) => Principals
  /** Whom it names by the word of a trusted issuer. Throws Refusal. Absent: nobody is trusted, and all of it stays claimed. */
  judge?: (token: string, nowMs: number) => Promise<{ principals: Principals; expiresMs: number | undefined }>
  /** A token that was judged, told once. */
  onJudged: (event: AuthEvent) => void
  diagnose: (code: string, sentence: string) => void
}

interface Held {
  token: string
  principals: Principals
  expiresMs: number | undefined
  /** What is left when it has expired: who it named once, as a claim. */
  expired: Principals
  isVerified: boolean
}

/** Tokens without an expiry are looked at again after this time. */
const lookAgainMs = 5 * 60_000
const retryMs = 30_000
/** A new one is asked for this long before the old one expires, or after nine tenths of its life where that is later. */
const aheadMs = 60_000
const pauseMinMs = 5_000

export function openAmbientToken(options: AmbientTokenOptions): AmbientToken {
  const { supply, diagnose } = options
  const ending = new AbortController()
  let held: Held | undefined
  let problem: string | undefined
  let timer: NodeJS.Timeout | undefined

  const renew = async (): Promise<void> => {
    const before = problem
    try {
      const token = await supply.read(ending.signal)
      if (token !== held?.token || !held.isVerified) held = await take(token, held, options)
      problem = undefined
    } catch (error) {
      if (!(error instanceof SupplyError)) throw error
      problem = error.code
    }
    if (ending.signal.aborted) return
    if (problem !== undefined && problem !== before)
      diagnose('AFD_TOKEN_UNREADABLE', `the token from ${supply.name} cannot be had (${problem})`)
    const waitMs = pauseUntilNext(problem === undefined ? held : undefined, supply, Date.now())
    if (waitMs !== undefined) timer = setTimeout(() => void renew(), waitMs).unref()
  }
  void renew()
  return {
    current(nowMs) {
      if (held?.expiresMs === undefined || nowMs < held.expiresMs) return held?.principals
      return held.expired
    },
    close() {
      ending.abort()
      clearTimeout(timer)
    },
  }
}

/** Undefined: it is never asked again, for it could only say the same. */
function pauseUntilNext(held: Held | undefined, { canRenew }: TokenSupply, nowMs: number): number | undefined {
  const isDone = held?.isVerified === true || held?.expiresMs === undefined
  if (!canRenew && held !== undefined && isDone) return undefined
  if (held === undefined) return retryMs
  if (held.expiresMs === undefined) return lookAgainMs
  const leftMs = held.expiresMs - nowMs
  // A judgement that an issuer's silence put off is made up for.
  const soonMs = held.isVerified ? lookAgainMs * 12 : retryMs
  return Math.max(pauseMinMs, Math.min(soonMs, leftMs - Math.min(aheadMs, leftMs / 10)))
}

/** Claimed first, so that records have something while an issuer's keys are on their way. */
async function take(token: string, before: Held | undefined, options: AmbientTokenOptions): Promise<Held> {
  const { supply, describe, judge, onJudged } = options
  const nowMs = Date.now()
  const claimed = withSource(describe(token), { source: supply.name })
  const expiresMs = claimedExpiry(token)
  const expired = withSource(claimed, { reason: 'token_expired: it was not renewed' })
  const unjudged: Held = { token, principals: claimed, expiresMs, expired, isVerified: false }
  if (judge === undefined) return unjudged
  try {
    const verified = await judge(token, nowMs)
    const principals = withSource(verified.principals, { source: supply.name })
    if (before?.token !== token || !before.isVerified) onJudged(admitted(principals, verified.expiresMs))
    return { ...unjudged, principals, expiresMs: verified.expiresMs ?? expiresMs, isVerified: true }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code } = error
    const principals = withSource(claimed, { reason: `${code}: ${reasonOf(code).sentence}` })
    if (before?.token !== token) onJudged(refused(principals, code))
    return { ...unjudged, principals: before?.token === token ? before.principals : principals }
  }
}

/** A claim as any other: only for knowing when to ask again. */
function claimedExpiry(token: string): number | undefined {
  const text = parseJwtText(token)
  const exp = typeof text === 'string' ? undefined : text.claims.exp
  return typeof exp === 'number' && exp > 0 && exp < 253_402_300_799 ? exp * 1000 : undefined
}

function withSource(principals: Principals, grounds: Partial<Pick<Grounds, 'source' | 'reason'>>): Principals {
  const clipped = Object.fromEntries(Object.entries(grounds).map(([name, value]) => [name, clipText(value)]))
  const say = <T extends object>(named: T): T => ('absent' in named ? named : { ...named, ...clipped })
  return {
    ...principals,
    workload: say(principals.workload),
    user: say(principals.user),
    role: say(principals.role),
    token: say(principals.token),
    delegation: principals.delegation.map(say),
  }
}

function admitted(principals: Principals, expiresMs: number | undefined): AuthEvent {
  const expires = expiresMs === undefined ? {} : { expires: formatTimestamp(expiresMs) }
  return { detail: { event: 'admitted', ...fingerprint(principals), ...expires }, principals }
}

function refused(principals: Principals, code: RefusalCode): AuthEvent {
  return { detail: { event: 'refused', code, ...fingerprint(principals) }, principals }
}

function fingerprint({ token }: Principals): Pick<AuthDetail, 'fingerprint'> {
  return 'absent' in token ? {} : { fingerprint: token.digest }
}

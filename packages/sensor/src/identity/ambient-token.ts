import type { AuthDetail } from '@affidavit/evidence/record/header'
import type { Grounds } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { AuthEvent } from './admission.ts'
import { parseJwtText } from './jwt-text.ts'
import type { Principals } from './principals.ts'
import { isPassing, Refusal, type RefusalCode, reasonOf } from './refusal-code.ts'
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
  judge?: (token: string, nowMs: number) => Promise<Judgement>
  /** A token that was judged, told once for each verdict. */
  onJudged: (event: AuthEvent) => void
  diagnose: (code: string, sentence: string) => void
}

export interface Judgement {
  principals: Principals
  expiresMs: number | undefined
  /** How long it counts. Absent: as long as the token. */
  againMs?: number
}

interface Held {
  token: string
  principals: Principals
  expiresMs: number | undefined
  /** Who it names as a claim: while nobody has judged it, and when it has expired. */
  claimed: Principals
  verdict: 'unjudged' | 'verified' | RefusalCode
  /** After so long it is judged again. Undefined: another verdict cannot be had. */
  againMs: number | undefined
  judgedMs: number
}

/** Tokens without an expiry are looked at again after this time, and tokens that were refused. */
const lookAgainMs = 5 * 60_000
const lookAgainMsMax = 3_600_000
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

  const read = async (): Promise<void> => {
    const token = await supply.read(ending.signal)
    const before = held
    if (token !== before?.token) {
      const fresh = toClaimed(token, options)
      // Until the new one counts, one that still does stays; where there is none, records have the claim meanwhile.
      if (before === undefined || !isGood(before, Date.now())) held = fresh
      held = await judged(fresh, options)
    } else if (isDue(before, Date.now())) held = await judged(before, options)
  }
  const renew = async (): Promise<void> => {
    const before = problem
    try {
      await read()
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
      if (held === undefined || !isExpired(held, nowMs)) return held?.principals
      return held.claimed
    },
    close() {
      ending.abort()
      clearTimeout(timer)
    },
  }
}

function isExpired({ expiresMs = Number.POSITIVE_INFINITY }: Held, nowMs: number): boolean {
  return nowMs >= expiresMs
}

function isGood(held: Held, nowMs: number): boolean {
  return held.verdict === 'verified' && !isExpired(held, nowMs)
}

function isDue({ againMs, judgedMs }: Held, nowMs: number): boolean {
  return againMs !== undefined && (nowMs < judgedMs || nowMs - judgedMs >= againMs)
}

/** Undefined: it is never asked again, for it could only say the same. */
function pauseUntilNext(held: Held | undefined, { canRenew }: TokenSupply, nowMs: number): number | undefined {
  if (held === undefined) return retryMs
  const { expiresMs, againMs } = held
  const leftMs = expiresMs === undefined ? undefined : expiresMs - nowMs
  if (!canRenew && (againMs === undefined || isExpired(held, nowMs))) return undefined
  const renewMs =
    leftMs === undefined ? lookAgainMs : Math.min(lookAgainMsMax, leftMs - Math.min(aheadMs, Math.abs(leftMs) / 10))
  return Math.max(pauseMinMs, Math.min(againMs ?? renewMs, canRenew ? renewMs : lookAgainMsMax))
}

function toClaimed(token: string, { supply, describe, judge }: AmbientTokenOptions): Held {
  const named = withGrounds(describe(token), { source: supply.name })
  const waiting = judge === undefined ? named : withGrounds(named, { reason: 'it is not verified yet' })
  const claimed = withGrounds(named, { reason: 'token_expired: it was not renewed' })
  const expiresMs = claimedExpiry(token)
  return { token, principals: waiting, expiresMs, claimed, verdict: 'unjudged', againMs: undefined, judgedMs: 0 }
}

async function judged(held: Held, { supply, judge, onJudged }: AmbientTokenOptions): Promise<Held> {
  if (judge === undefined) return held
  const judgedMs = Date.now()
  try {
    const { principals: named, expiresMs = held.expiresMs, againMs } = await judge(held.token, judgedMs)
    const principals = withGrounds(named, { source: supply.name })
    if (held.verdict !== 'verified') onJudged(admitted(principals, expiresMs))
    return { ...held, principals, expiresMs, verdict: 'verified', againMs, judgedMs }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code } = error
    const againMs = isPassing(code) ? retryMs : lookAgainMs
    if (held.verdict === code) return { ...held, againMs, judgedMs }
    const principals = withGrounds(held.claimed, { reason: `${code}: ${reasonOf(code).sentence}` })
    onJudged(refused(principals, code))
    return { ...held, principals, verdict: code, againMs, judgedMs }
  }
}

/** A claim as any other: only for knowing when to ask again. */
function claimedExpiry(token: string): number | undefined {
  const text = parseJwtText(token)
  const exp = typeof text === 'string' ? undefined : text.claims.exp
  return typeof exp === 'number' && exp > 0 && exp < 253_402_300_799 ? exp * 1000 : undefined
}

function withGrounds(principals: Principals, grounds: Partial<Pick<Grounds, 'source' | 'reason'>>): Principals {
  const clipped = Object.fromEntries(Object.entries(grounds).map(([name, value]) => [name, clipText(value)]))
  const say = <T extends object>(named: T): T => ('absent' in named ? named : { ...named, ...clipped })
  const { role } = principals
  return {
    ...principals,
    workload: say(principals.workload),
    user: say(principals.user),
    // Where a role comes from is not where the token does.
    role: 'absent' in role ? role : { ...say(role), source: role.source },
    token: say(principals.token),
    delegation: principals.delegation.map(say),
  }
}

function admitted(principals: Principals, expiresMs: number | undefined): AuthEvent {
  const expires = expiresMs === undefined ? {} : { expires: formatTimestamp(expiresMs) }
  return { detail: { event: 'admitted', mode: 'observe', ...fingerprint(principals), ...expires }, principals }
}

function refused(principals: Principals, code: RefusalCode): AuthEvent {
  return { detail: { event: 'refused', mode: 'observe', code, ...fingerprint(principals) }, principals }
}

function fingerprint({ token }: Principals): Pick<AuthDetail, 'fingerprint'> {
  return 'absent' in token ? {} : { fingerprint: token.digest }
}

import type { AuthDetail, KeyedDigest } from '@affidavit/evidence/record/header'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { AuthEvent } from './admission.ts'
import type { JudgedBearer } from './bearer-judge.ts'
import { createBoundedMap } from './bounded-map.ts'
import type { UpstreamGrant, UpstreamToken } from './upstream-token.ts'

/** Which tokens were told of already: each is told once, when it is seen first. */
export interface News {
  ofBearer(bearer: JudgedBearer): AuthEvent[]
  ofExchange(bearer: JudgedBearer, upstream: UpstreamToken, grant: UpstreamGrant['grant']): AuthEvent[]
  /** It could not be recorded: it is news again. */
  giveBack(detail: AuthDetail): void
}

const rememberedMax = 8192

export function createNews(): News {
  const told = createBoundedMap<true>(rememberedMax)
  const take = (fingerprint: KeyedDigest): boolean => {
    const isNew = told.get(fingerprint) === undefined
    told.set(fingerprint, true)
    return isNew
  }
  return {
    ofBearer: (bearer) => (take(bearer.subject.fingerprint) ? [admittedEvent(bearer)] : []),
    ofExchange: (bearer, upstream, grant) =>
      take(upstream.fingerprint) ? [exchangedEvent(bearer, upstream, grant)] : [],
    giveBack({ event, fingerprint, upstreamFingerprint }) {
      const news = event === 'admitted' ? fingerprint : event === 'exchanged' ? upstreamFingerprint : undefined
      if (news !== undefined) told.delete(news)
    },
  }
}

/** Whose token it is and until when, of one that was found good. */
export function tellOf({ subject, verified }: JudgedBearer): Pick<AuthDetail, 'fingerprint' | 'expires'> {
  const { expiresMs } = verified
  return {
    fingerprint: subject.fingerprint,
    ...(expiresMs === undefined ? {} : { expires: formatTimestamp(expiresMs) }),
  }
}

function admittedEvent(bearer: JudgedBearer): AuthEvent {
  return { detail: { event: 'admitted', ...tellOf(bearer) }, principals: bearer.principals }
}

function exchangedEvent(bearer: JudgedBearer, upstream: UpstreamToken, grant: UpstreamGrant['grant']): AuthEvent {
  const { detail, principals } = admittedEvent(bearer)
  const upstreamExpires = formatTimestamp(upstream.expiresMs)
  const to = { upstreamFingerprint: upstream.fingerprint, upstreamExpires }
  return { detail: { ...detail, event: 'exchanged', grant, ...to }, principals }
}

import type { Absent } from '@affidavit/evidence/record/absent'
import type { Connection } from '@affidavit/evidence/record/environment-section'
import type { KeyedDigest, Uuid } from '@affidavit/evidence/record/header'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { ReportedBy } from '@affidavit/evidence/record/kinds'
import type { MetaClaims, TraceContext } from '../identity/claims.ts'
import type { LocalFacts } from '../identity/local.ts'
import type { Principals } from '../identity/principals.ts'
import type { CapturedLine } from './line.ts'

/** What is claimed of a request, by its `_meta` or by whoever told of it. */
export type Claims = Omit<MetaClaims, 'agent'> & { agent?: Actor | Absent }

/** What a transport knows of a request beside its bytes. */
export interface RequestOrigin {
  /** The same object for the same principals: what is encoded of it is kept with it. */
  principals: Principals
  network: Connection[] | Absent
  /**
   * `stdio`: the connection is the session, from `initialize` on. A keyed digest: the session that the request names (legacy
   * HTTP). Absent: none, with what to say about it.
   */
  session: 'stdio' | { digest: KeyedDigest } | Absent
  /** Of HTTP's headers; what `_meta` says goes before it. */
  trace?: TraceContext
  /** Of HTTP's headers, or of the agent that records its own; what `_meta` says goes before it. */
  parentCallId?: Uuid
  /** Of who told of the request; goes before what `_meta` says. */
  claims?: Claims
  reported?: ReportedBy
}

/** What a transport knows of a response beside its bytes. */
export interface ResponseOrigin {
  httpStatus?: number
  /** The session this very response opened (legacy HTTP). */
  session?: KeyedDigest
  /** The line it was sent in answer to: an error with id null is about a request of that. */
  to?: CapturedLine
  /** The connections it came over, where they are known only then: the one to the server, once a pool has chosen it. */
  network?: Connection[]
}

/** Of requests over HTTP. */
export const noSession: Absent = { absent: 'the request names no session, and declares no conversation and no trace' }

/** Every request on stdio comes from the process that started us. */
export function stdioOrigin({ user, workload }: Pick<LocalFacts, 'user' | 'workload'>): RequestOrigin {
  return {
    principals: {
      workload,
      user,
      role: { absent: 'stdio carries no role' },
      token: { absent: 'stdio carries no token' },
      delegation: [],
    },
    network: { absent: 'stdio has no network' },
    session: 'stdio',
  }
}

/** The same origin, with principals that may be others at the next call. */
export function followPrincipals(origin: RequestOrigin, of: (local: Principals) => Principals): RequestOrigin {
  const { principals, ...rest } = origin
  return {
    ...rest,
    get principals() {
      return of(principals)
    },
  }
}

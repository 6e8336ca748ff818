import { isAbsent } from '@affidavit/evidence/record/absent'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { createDescribeBearer } from '../../identity/bearer.ts'
import { parentCallHeader, parseParentCall, parseTraceparent, type Redact } from '../../identity/claims.ts'
import { readLocalFacts } from '../../identity/local.ts'
import type { Principals } from '../../identity/principals.ts'
import type { CaptureContext } from '../context.ts'
import { noSession, type RequestOrigin } from '../origin.ts'

/** Where the requests of an agent come from that records its own. */
export interface FetchOrigins {
  facts: CaptureContext['facts']
  originOf(headers: Headers, session: KeyedDigest | undefined): RequestOrigin
}

const network = { absent: 'fetch chooses its connection when the request is sent; the record of the answer has it' }

export function createFetchOrigins(by: { digest: CaptureContext['digest']; redact: Redact }): FetchOrigins {
  const { host, processes, containment, user } = readLocalFacts(undefined)
  const server = { absent: 'reached over the network' }
  const ownProcess: Actor = {
    kind: 'workload',
    id: clipText(process.execPath),
    assurance: 'claimed',
    method: 'own-process',
    source: 'process.execPath',
    reason: 'the agent tells of itself',
  }
  const describeBearer = createDescribeBearer(by)
  const known = new WeakMap<Principals, Principals>()
  /** The agent's own machine and process, where its token names nobody. */
  const complete = (named: Principals): Principals => ({
    ...named,
    user: isAbsent(named.user) ? user : named.user,
    workload: isAbsent(named.workload) ? ownProcess : named.workload,
  })
  return {
    facts: {
      host,
      processes: { sensor: processes.sensor, client: processes.sensor, server },
      ...(containment === undefined ? {} : { containment }),
    },
    originOf(headers, session) {
      const named = describeBearer(headers.get('authorization') ?? undefined)
      const principals = known.get(named) ?? complete(named)
      known.set(named, principals)
      const trace = parseTraceparent(headers.get('traceparent'))
      const parentCallId = parseParentCall(headers.get(parentCallHeader))
      return {
        principals,
        network,
        session: session === undefined ? noSession : { digest: session },
        ...(trace === undefined ? {} : { trace }),
        ...(parentCallId === undefined ? {} : { parentCallId }),
      }
    },
  }
}

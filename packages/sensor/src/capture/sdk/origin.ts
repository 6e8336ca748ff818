import { type Absent, isAbsent } from '@affidavit/evidence/record/absent'
import type { Grounds } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { createDescribeBearer } from '../../identity/bearer.ts'
import { parentCallHeader, parseParentCall, parseTraceparent, type Redact } from '../../identity/claims.ts'
import { type LocalFacts, readLocalFacts } from '../../identity/local.ts'
import type { Principals } from '../../identity/principals.ts'
import type { CaptureContext } from '../context.ts'
import { noSession, type RequestOrigin, stdioOrigin } from '../origin.ts'
import type { AuthFacts, MessageExtra } from './extra.ts'
import { servedConnection } from './incoming.ts'
import type { SdkTransport, TransportKind } from './transport.ts'

/** Describes where the messages of one server's transports come from. */
export interface Origins {
  factsOf(kind: TransportKind): CaptureContext['facts']
  /** `extra` undefined: of a request that the server makes outside of any call. */
  originFor(transport: SdkTransport, kind: TransportKind): (extra: MessageExtra | undefined) => RequestOrigin
}

const elsewhere = 'the client is at the other end of a connection, and nobody says of which'
const noFacts = { absent: elsewhere }
const unknownTransport: Absent = { absent: 'the transport is neither stdio nor one of the SDK for HTTP' }
/** The server says so in its own process: no more than a claim to whoever reads the record. */
const grounds: Grounds = {
  assurance: 'claimed',
  method: 'sdk-auth-info',
  source: 'authInfo',
  reason: 'the server says that it verified the token; nobody else did',
}

export function createOrigins({ digest, redact }: { digest: CaptureContext['digest']; redact: Redact }): Origins {
  const local = readLocalFacts(process.pid)
  const remote: LocalFacts = { ...local, processes: { ...local.processes, client: noFacts } }
  const stdio = stdioOrigin(local)
  const principalsOf = createDescribe({ digest, redact })
  return {
    factsOf: (kind) => (kind === 'stdio' ? local : remote),
    originFor(transport, kind) {
      if (kind === 'stdio') return () => stdio
      return (extra) => {
        const trace = parseTraceparent(extra?.header('traceparent'))
        const parentCallId = parseParentCall(extra?.header(parentCallHeader))
        const id = sessionIdOf(transport, extra)
        const session = id === undefined ? noSession : { digest: digest(id) }
        return {
          principals: principalsOf(extra),
          network: kind === 'http' && extra !== undefined ? servedConnection(noFacts) : noFacts,
          session: kind === 'other' ? unknownTransport : session,
          ...(trace === undefined ? {} : { trace }),
          ...(parentCallId === undefined ? {} : { parentCallId }),
        }
      }
    },
  }
}

/** As the request names it; the deprecated SSE transport has its session in the URL, of which only the transport knows. */
function sessionIdOf(transport: SdkTransport, extra: MessageExtra | undefined): string | undefined {
  if (extra === undefined || 'handlePostMessage' in transport) return transport.sessionId
  return extra.header('mcp-session-id')
}

/** The same object for the same credential, so that what is encoded of it is kept with it. */
function createDescribe(by: { digest: CaptureContext['digest']; redact: Redact }) {
  const describeBearer = createDescribeBearer(by)
  const vouchedFor = new WeakMap<Principals, Principals>()
  return (extra: MessageExtra | undefined): Principals => {
    const { auth } = extra ?? {}
    const claimed = describeBearer(extra?.header('authorization') ?? (auth && `Bearer ${auth.token}`))
    if (auth === undefined) return claimed
    const vouched = vouchedFor.get(claimed) ?? vouch(claimed, auth, by.redact)
    vouchedFor.set(claimed, vouched)
    return vouched
  }
}

function vouch({ workload, user, role, token, delegation }: Principals, auth: AuthFacts, redact: Redact): Principals {
  const say = <T extends object>(named: T | Absent): T | Absent => (isAbsent(named) ? named : { ...named, ...grounds })
  const client = auth.clientId === undefined ? workload : { ...grounds, id: clipText(redact(auth.clientId)) }
  return {
    workload: say(isAbsent(workload) ? client : workload),
    user: say(user),
    role: say(role),
    token: say(token),
    delegation: delegation.map((actor) => ({ ...actor, ...grounds })),
  }
}

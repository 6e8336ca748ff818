import type { Absent } from '@affidavit/evidence/record/absent'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Grounds } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { parseTraceparent, type Redact } from '../../identity/claims.ts'
import { type LocalFacts, readLocalFacts } from '../../identity/local.ts'
import type { Principals } from '../../identity/principals.ts'
import type { CaptureContext } from '../context.ts'
import { type RequestOrigin, stdioOrigin } from '../origin.ts'
import type { AuthFacts, MessageExtra } from './extra.ts'
import type { SdkTransport, TransportKind } from './transport.ts'

/** Describes where the messages of one server's transports come from. */
export interface Origins {
  factsOf(kind: TransportKind): CaptureContext['facts']
  /** `extra` undefined: of a request that the server makes outside of any call. */
  originFor(transport: SdkTransport, kind: TransportKind): (extra: MessageExtra | undefined) => RequestOrigin
}

const elsewhere = 'the client is at the other end of a connection, and the SDK does not say of which'
const noFacts = { absent: elsewhere }
const noSession: Absent = { absent: 'the request names no session' }
const unknownTransport: Absent = { absent: 'the transport is neither stdio nor one of the SDK for HTTP' }
/** The server says so in its own process: no more than a claim to whoever reads the record. */
const grounds: Grounds = {
  assurance: 'claimed',
  method: 'sdk-auth-info',
  source: 'authInfo',
  reason: 'the server says that it verified the token; nobody else did',
}
const rememberedMax = 1024

export function createOrigins({ digest, redact }: { digest: CaptureContext['digest']; redact: Redact }): Origins {
  const local = readLocalFacts(process.pid)
  const remote: LocalFacts = { ...local, processes: { ...local.processes, client: noFacts } }
  const stdio = stdioOrigin(local)
  const principalsOf = rememberPrincipals(digest, redact)
  return {
    factsOf: (kind) => (kind === 'stdio' ? local : remote),
    originFor(transport, kind) {
      if (kind === 'stdio') return () => stdio
      return (extra) => {
        const trace = parseTraceparent(extra?.header('traceparent'))
        const id = sessionIdOf(transport, extra)
        const session = id === undefined ? noSession : { digest: digest(id) }
        return {
          principals: principalsOf(extra?.auth),
          network: noFacts,
          session: kind === 'other' ? unknownTransport : session,
          ...(trace === undefined ? {} : { trace }),
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

/** The same object for the same token, so that what is encoded of it is kept with it. Remembered are digests. */
function rememberPrincipals(digest: (value: string) => KeyedDigest, redact: Redact) {
  const known = new Map<KeyedDigest, Principals>()
  return (auth: AuthFacts | undefined): Principals => {
    if (auth === undefined) return nobody
    const fingerprint = digest(auth.token)
    const before = known.get(fingerprint)
    if (before !== undefined) return before
    const principals = describe(auth, fingerprint, redact)
    const [oldest] = known.keys()
    if (known.size >= rememberedMax && oldest !== undefined) known.delete(oldest)
    known.set(fingerprint, principals)
    return principals
  }
}

const nobody: Principals = {
  workload: noFacts,
  user: { absent: 'the SDK passed no authInfo' },
  role: { absent: 'the SDK passed no authInfo' },
  token: { absent: 'the SDK passed no authInfo' },
  delegation: [],
}

function describe({ clientId }: AuthFacts, digest: KeyedDigest, redact: Redact): Principals {
  return {
    workload: clientId === undefined ? noFacts : { ...grounds, kind: 'workload', id: clipText(redact(clientId)) },
    user: { absent: 'authInfo names a client, not a user' },
    role: { absent: 'authInfo names no role' },
    token: { ...grounds, digest },
    delegation: [],
  }
}

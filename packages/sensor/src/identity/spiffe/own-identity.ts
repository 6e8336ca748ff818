import { type Absent, isAbsent } from '@affidavit/evidence/record/absent'
import type { Actor, TokenRef } from '@affidavit/evidence/record/identity-section'
import type { AuthEvent } from '../admission.ts'
import type { Digest } from '../bearer.ts'
import type { Redact } from '../claims.ts'
import type { AssignedRoles } from '../token-role.ts'
import { describeX509Svid, referToCertificate } from './describe.ts'
import { groundsOf, judgeOwnJwt, judgeOwnX509 } from './judge-own.ts'
import { notAnswered, type OwnNames } from './own-names.ts'
import { pauseAfter } from './pause.ts'
import { orSpiffeRefusal, SpiffeRefusal } from './spiffe-refusal.ts'
import { createSvidEvents } from './svid-events.ts'
import { describeJwtSvid, type JudgedSvid, roleFor } from './svid-judge.ts'
import type { SpiffeTrust } from './trust.ts'
import { type WorkloadApi, WorkloadApiError, type WorkloadFailure } from './workload-api.ts'
import {
  encodeJwtSvidRequest,
  parseJwtSvidResponse,
  parseX509SvidResponse,
  type X509SvidMessage,
} from './workload-messages.ts'

/**
 * Who this process is by the word of the Workload API, as it stands at the moment: an SVID comes, is renewed and may be taken
 * back while a session lasts. Nobody waits for it.
 */
export interface OwnIdentity {
  /** The same object until something changes. */
  current(nowMs: number): OwnNames
  /** A configured bundle changed: asks anew, for what was judged before is not kept. */
  judgeAgain(): void
  close(): void
}

export interface OwnIdentityParts {
  api: WorkloadApi
  /** For whom to ask a JWT-SVID; undefined: for none. */
  audience: string | undefined
  /** Bundles that the configuration names. */
  trust: SpiffeTrust | undefined
  digest: Digest
  redact: Redact
  roles: AssignedRoles | undefined
  /** Makes an auth record of it; `events` takes back what could not be recorded. */
  tell: (event: AuthEvent, events: ReturnType<typeof createSvidEvents>) => void
  diagnose: (code: string, sentence: string) => void
  firstPauseMs?: number
}

interface Held<T> {
  what: T
  untilMs: number
}

interface State {
  svid: Held<{ workload: Actor; certificate: TokenRef | undefined; role: Actor | Absent | undefined }> | undefined
  token: Held<TokenRef> | undefined
  /** Why there is no SVID. */
  why: string
}

const failures: Record<WorkloadFailure, string> = {
  denied: 'the Workload API gives this process no identity',
  unreachable: 'the Workload API cannot be reached',
  refused: 'the Workload API refuses the request',
  malformed: 'the Workload API gave an answer that cannot be read',
}
const expired = 'the SVID of the Workload API has expired'
const renewMsMin = 5_000

export function openOwnIdentity(parts: OwnIdentityParts): OwnIdentity {
  const state: State = { svid: undefined, token: undefined, why: notAnswered }
  const events = createSvidEvents('observe')
  const tell = (judged: JudgedSvid) => {
    const told = events.of(judged, Date.now())
    // What was counted in a flood is told with what comes after it.
    const counted = told.length === 0 ? [] : events.drainRefusals()
    for (const event of [...counted, ...told]) parts.tell(event, events)
  }
  let made: { names: OwnNames; untilMs: number } | undefined
  const change = (next: Partial<State>) => {
    Object.assign(state, next)
    made = undefined
  }
  let closeX509 = followX509(parts, change, tell)
  const closeJwt = parts.audience === undefined ? undefined : followJwt(parts, parts.audience, { change, tell })
  return {
    current(nowMs) {
      if (made !== undefined && nowMs < made.untilMs) return made.names
      const good = [state.svid, state.token].filter((held) => held !== undefined && nowMs < held.untilMs)
      const untilMs = Math.min(...good.map((held) => held?.untilMs ?? nowMs))
      made = { names: namesIn(state, nowMs), untilMs }
      return made.names
    },
    judgeAgain() {
      closeX509()
      closeX509 = followX509(parts, change, tell)
    },
    close() {
      closeX509()
      closeJwt?.()
      parts.api.close()
      parts.trust?.close()
    },
  }
}

type Change = (next: Partial<State>) => void
type Tell = (judged: JudgedSvid) => void

function followX509(parts: OwnIdentityParts, change: Change, tell: Tell): () => void {
  let lastFailure: WorkloadFailure | undefined
  return parts.api.follow(
    { method: 'FetchX509SVID', parse: parseX509SvidResponse },
    {
      message(messages) {
        lastFailure = undefined
        const judged = judgeMessages(messages, parts)
        tell(judged)
        const { workload, token: certificate, role, code, untilMs } = judged
        if (isAbsent(workload)) change({ svid: undefined, why: `${workload.absent}` })
        else if (code === undefined) change({ svid: { what: { workload, certificate, role }, untilMs }, why: expired })
        else change({ svid: undefined, why: workload.reason ?? code })
      },
      failed(failure) {
        // What was given stays good until it expires, but for what is taken back (Workload API §5.2.1).
        if (failure === 'denied') change({ svid: undefined, why: failures.denied })
        else change({ why: failures[failure] })
        if (failure === lastFailure) return
        lastFailure = failure
        if (failure === 'denied') tell(deniedNow())
        parts.diagnose('AFD_WORKLOAD_API', `${failures[failure]}; it is asked again`)
      },
    },
  )
}

function deniedNow(): JudgedSvid {
  return { workload: { absent: failures.denied }, code: 'permission_denied', untilMs: Date.now() }
}

/** Of several the first is the default (§5.3). No private key outlives this. */
function judgeMessages(messages: readonly X509SvidMessage[], parts: OwnIdentityParts): JudgedSvid {
  const { trust, digest, redact } = parts
  const [message] = messages
  if (message === undefined) return deniedNow()
  const nowMs = Date.now()
  const judged = orSpiffeRefusal(() => judgeOwnX509(message, trust, nowMs))
  for (const { key } of messages) key.fill(0)
  const fingerprint = digest(Buffer.from(message.chain).toString('base64'))
  if (judged instanceof SpiffeRefusal) {
    const absent = `the SVID of the Workload API was refused: ${judged.message} (${judged.code})`
    return { workload: { absent }, code: judged.code, fingerprint, untilMs: nowMs }
  }
  const { svid, by } = judged
  const grounds = groundsOf('x509-svid', by)
  const workload = describeX509Svid(svid, grounds, redact)
  const token = referToCertificate({ leaf: svid.leaf.der, digest, redact }, grounds, svid)
  const named = { workload, token, ...roleFor(svid.spiffeId.id, grounds, parts) }
  return { ...named, code: undefined, fingerprint: token.digest, untilMs: svid.expiresMs }
}

function followJwt(
  parts: OwnIdentityParts,
  audience: string,
  { change, tell }: { change: Change; tell: Tell },
): () => void {
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let failed = 0
  const fetchOne = async (): Promise<void> => {
    const outcome = await askJwt(parts, audience)
    if (isClosed) return
    const isGood = typeof outcome !== 'string' && outcome.code === undefined && outcome.token !== undefined
    if (typeof outcome !== 'string') tell(outcome)
    if (isGood && outcome.token !== undefined) change({ token: { what: outcome.token, untilMs: outcome.untilMs } })
    else if (outcome === 'denied') change({ token: undefined })
    failed = isGood ? 0 : failed + 1
    // Renewed at half of its life, so that a failure has time to end.
    const halfMs = typeof outcome === 'string' ? 0 : (outcome.untilMs - Date.now()) / 2
    const pauseMs = isGood ? Math.max(renewMsMin, halfMs) : pauseAfter(failed - 1, parts.firstPauseMs ?? 1000)
    timer = setTimeout(() => void fetchOne(), Math.min(pauseMs, 2 ** 31 - 1)).unref()
  }
  void fetchOne()
  return () => {
    isClosed = true
    clearTimeout(timer)
  }
}

async function askJwt(parts: OwnIdentityParts, audience: string): Promise<JudgedSvid | WorkloadFailure> {
  const { api, trust, digest, redact } = parts
  try {
    const request = encodeJwtSvidRequest(audience)
    const [message] = await api.ask({ method: 'FetchJWTSVID', request, parse: parseJwtSvidResponse })
    if (message === undefined) return 'malformed'
    const { svid, by } = await judgeOwnJwt(message, { trust, audience }, Date.now())
    const fingerprint = digest(message.svid)
    const named = describeJwtSvid(svid, groundsOf('jwt-svid', by), {
      credential: message.svid,
      digest: fingerprint,
      redact,
    })
    return { ...named, code: undefined, fingerprint, untilMs: svid.expiresMs }
  } catch (error) {
    if (error instanceof WorkloadApiError) return error.code
    if (!(error instanceof SpiffeRefusal)) throw error
    const absent = `the JWT-SVID of the Workload API was refused: ${error.message} (${error.code})`
    return { workload: { absent }, code: error.code, untilMs: Date.now() }
  }
}

function namesIn({ svid, token, why }: State, nowMs: number): OwnNames {
  const jwt = token !== undefined && nowMs < token.untilMs ? { token: token.what } : {}
  if (svid === undefined || nowMs >= svid.untilMs) return { why, ...jwt }
  const { workload, certificate, role } = svid.what
  const shown = certificate === undefined ? {} : { token: certificate }
  return { svid: workload, ...(role === undefined ? {} : { role }), ...shown, ...jwt }
}

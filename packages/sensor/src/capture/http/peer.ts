import type { Socket } from 'node:net'
import { type DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Principals } from '../../identity/principals.ts'
import { spiffeRefusals } from '../../identity/spiffe/spiffe-refusal.ts'
import { createSvidEvents } from '../../identity/spiffe/svid-events.ts'
import type { JudgedSvid, SvidJudge } from '../../identity/spiffe/svid-judge.ts'
import { withSvids } from '../../identity/spiffe/with-svids.ts'
import type { CaptureContext } from '../context.ts'
import { keepRecords } from './auth-records.ts'
import type { Answered, Doorkeeper } from './doorkeeper.ts'
import { plainError } from './own-answer.ts'
import { headerOf } from './raw-headers.ts'

/** Who is at the other end of a TLS connection, as far as its certificate tells. Judged once, not at every request. */
export interface Peers {
  judge: SvidJudge
  /** Undefined where the connection asks for no certificate. */
  of(socket: Socket, nowMs: number): { judged: JudgedSvid; isNew: boolean } | undefined
}

/** `generation` is that of what it was judged by: a bundle that changed may have withdrawn an authority. */
export function createPeers(judge: SvidJudge): Peers {
  const known = new WeakMap<Socket, { judged: JudgedSvid; generation: number }>()
  return {
    judge,
    of(socket, nowMs) {
      if (!(socket instanceof TLSSocket)) return undefined
      const before = known.get(socket)
      const { generation } = judge
      const isGood = before !== undefined && before.generation === generation && nowMs < before.judged.untilMs
      if (isGood) return { judged: before.judged, isNew: false }
      const judged = judge.judgeChain(chainOf(socket), nowMs)
      known.set(socket, { judged, generation })
      return { judged, isNew: before === undefined || before.judged.code !== judged.code }
    },
  }
}

const chainMax = 16

/** Leaf first. The last of a complete chain names itself as its issuer. */
function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = []
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  for (; next?.raw !== undefined && chain.length < chainMax; next = next.issuerCertificate) {
    const { raw } = next
    if (chain.some((before) => Buffer.compare(before, raw) === 0)) break
    chain.push(raw)
  }
  return chain
}

export interface PeerGuard {
  peers: Peers
  context: CaptureContext
  /** Whoever shows no certificate that is found good is answered here. */
  isRequired: boolean
}

/** Lets the SVIDs of certificate and token say who the workload is, beside what `inner` knows of the request. */
export function guardPeers(inner: Doorkeeper, { peers, context, isRequired }: PeerGuard): Doorkeeper {
  const certificates = createSvidEvents(isRequired ? undefined : 'observe')
  const tokens = createSvidEvents('observe')
  const records = { certificates: keepRecords(certificates, context), tokens: keepRecords(tokens, context) }
  return {
    ...inner,
    async admit(arrival) {
      const nowMs = Date.now()
      const peer = peers.of(arrival.socket, nowMs)
      const refusal = isRequired ? refusalOf(peer?.judged) : undefined
      if (refusal !== undefined && peer !== undefined) {
        await records.certificates.record(certificates.of(peer.judged, nowMs))
        return refusal
      }
      // Not awaited: the stream keeps the order, and the record of the request itself is waited for.
      if (peer?.isNew === true && isNews(peer.judged))
        void records.certificates.record(certificates.of(peer.judged, nowMs))
      const admission = await inner.admit(arrival)
      if (admission.verdict === 'answered') return admission
      const { principals } = admission
      const bearer = await judgeToken(peers.judge, {
        principals,
        header: headerOf(arrival.rawHeaders, 'authorization'),
      })
      if (bearer?.isNew === true) void records.tokens.record(tokens.of(bearer.judged, nowMs))
      return { ...admission, principals: withSvids(principals, peer?.judged, bearer?.judged) }
    },
    async sweep() {
      await Promise.all([inner.sweep?.(), records.certificates.sweep(), records.tokens.sweep()])
    },
    async finish() {
      await Promise.all([inner.finish?.(), records.certificates.finish(), records.tokens.finish()])
    },
  }
}

/** That a client shows no certificate, or one that is no SVID, is nothing to tell where none is asked of it. */
function isNews({ code }: JudgedSvid): boolean {
  return code !== 'certificate_missing' && code !== 'spiffe_id_missing'
}

const toldOf = new WeakSet<JudgedSvid>()

/** A token that was found good as something else is not judged as an SVID too. */
async function judgeToken(
  judge: SvidJudge,
  { principals, header }: { principals: Principals; header: string | undefined },
): Promise<{ judged: JudgedSvid; isNew: boolean } | undefined> {
  const { token } = principals
  if (header === undefined || ('assurance' in token && token.assurance === 'verified')) return undefined
  const judged = await judge.judgeBearer(header, Date.now())
  if (judged === undefined) return undefined
  const isNew = !toldOf.has(judged)
  toldOf.add(judged)
  return { judged, isNew }
}

/** 403, not 401: that would send an MCP client to look for an authorization server. */
function refusalOf(judged: JudgedSvid | undefined): Answered | undefined {
  if (judged === undefined || judged.code === undefined) return undefined
  const { code } = judged
  const isOver = code === 'bundle_unavailable'
  return {
    verdict: 'answered',
    status: isOver ? 503 : 403,
    headers: isOver ? [['retry-after', '5']] : [],
    body: plainError(code, `${spiffeRefusals[code]}.`),
  }
}

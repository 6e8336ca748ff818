import { type Absent, isAbsent } from '@affidavit/evidence/record/absent'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Actor, Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import { type Digest, splitAuthorization } from '../bearer.ts'
import { createBoundedMap } from '../bounded-map.ts'
import type { Redact } from '../claims.ts'
import { fingerprintOf } from '../token-ref.ts'
import { type AssignedRoles, roleOf } from '../token-role.ts'
import { describeRefused, describeX509Svid, nameSpiffeId, referToCertificate } from './describe.ts'
import { claimsSpiffeId, judgeJwtSvid, type VerifiedJwtSvid } from './jwt-svid.ts'
import { orSpiffeRefusal, type SpiffeCode, SpiffeRefusal } from './spiffe-refusal.ts'
import type { SpiffeTrust } from './trust.ts'
import { verifyX509Svid } from './x509-svid.ts'

/** What came of one SVID. */
export interface JudgedSvid {
  /** `verified` where code is undefined; else what it claims, or why it claims nothing. */
  workload: Actor | Absent
  code: SpiffeCode | undefined
  /** How the record refers to the certificate or the token; absent where there is none. */
  token?: TokenRef
  /** What the configuration gives to this SPIFFE ID; absent where it gives roles to none. */
  role?: Actor | Absent
  /** Of certificate or token; absent where there is none. */
  fingerprint?: KeyedDigest
  /** From then on it is to be judged again. */
  untilMs: number
}

/** Judges what clients show. Remembers digests and outcomes, and of tokens nothing. */
export interface SvidJudge {
  /** Leaf first; empty where the client shows none. */
  judgeChain(chain: readonly Uint8Array[], nowMs: number): JudgedSvid
  /** Undefined where the header holds no JWT-SVID. The same object for the same token, until it has to be judged again. */
  judgeBearer(authorization: string, nowMs: number): Promise<JudgedSvid | undefined>
  /** See SpiffeTrust. */
  readonly generation: number
}

export interface SvidJudgeParts {
  trust: SpiffeTrust
  audiences: readonly string[]
  skewMs: number
  digest: Digest
  redact: Redact
  roles?: AssignedRoles | undefined
}

export const certificateSource = 'tls.client-certificate'
export const tokenSource = 'http.authorization'
const rememberedMax = 1024
/** A refusal may be over soon: its bundle may come, its time may begin. */
const refusedForMs = 10_000

export function createSvidJudge(parts: SvidJudgeParts): SvidJudge {
  const { trust, digest, redact } = parts
  const tokens = createBoundedMap<{ generation: number; judged: JudgedSvid | undefined }>(rememberedMax)
  return {
    judgeChain(chain, nowMs) {
      const [leaf] = chain
      const svid = orSpiffeRefusal(() => verifyX509Svid(chain, trust.bundleOf, nowMs))
      if (leaf !== undefined && !(svid instanceof SpiffeRefusal)) {
        const grounds = { assurance: 'verified', method: 'x509-svid', source: certificateSource } as const
        const workload = describeX509Svid(svid, grounds, redact)
        const token = referToCertificate({ leaf, digest, redact }, grounds, svid)
        const by = { workload, token, fingerprint: token.digest, ...roleFor(svid.spiffeId.id, grounds, parts) }
        return { ...by, code: undefined, untilMs: svid.expiresMs }
      }
      const { code, message } = svid instanceof SpiffeRefusal ? svid : new SpiffeRefusal('certificate_missing')
      const refusal = { code, untilMs: nowMs + refusedForMs }
      if (leaf === undefined) return { ...refusal, workload: { absent: `${message} (${code})` } }
      const workload = describeRefused(leaf, { code, message }, { redact, source: certificateSource })
      const { method, reason } = isAbsent(workload) ? { method: 'x509', reason: workload.absent } : workload
      const grounds = { assurance: 'claimed', method, source: certificateSource, ...(reason && { reason }) } as const
      const token = referToCertificate({ leaf, digest, redact }, grounds)
      return { ...refusal, workload, token, fingerprint: token.digest }
    },
    async judgeBearer(authorization, nowMs) {
      const key = digest(authorization)
      const known = tokens.get(key)
      if (known !== undefined && known.generation === trust.generation && nowMs < (known.judged?.untilMs ?? Infinity))
        return known.judged
      const { generation } = trust
      const judged = await judgeToken(authorization, parts, nowMs)
      tokens.set(key, { generation, judged })
      return judged
    },
    get generation() {
      return trust.generation
    },
  }
}

function claimedIdOf(authorization: string): string | undefined {
  const { scheme, credential } = splitAuthorization(authorization)
  return scheme === 'bearer' ? claimsSpiffeId(credential) : undefined
}

/** Whether it says that it is one. */
export function isJwtSvid(authorization: string): boolean {
  return claimedIdOf(authorization) !== undefined
}

async function judgeToken(
  authorization: string,
  parts: SvidJudgeParts,
  nowMs: number,
): Promise<JudgedSvid | undefined> {
  const { trust, audiences, skewMs, digest, redact } = parts
  const sub = claimedIdOf(authorization)
  if (sub === undefined) return undefined
  const { credential } = splitAuthorization(authorization)
  const fingerprint = digest(credential)
  const by = { credential, digest: fingerprint, redact }
  const svid = await orRefused(judgeJwtSvid(credential, { bundleOf: trust.bundleOf, audiences, skewMs }, nowMs))
  if (!(svid instanceof SpiffeRefusal)) {
    const grounds = { assurance: 'verified', method: 'jwt-svid', source: tokenSource } as const
    const named = { ...describeJwtSvid(svid, grounds, by), ...roleFor(svid.spiffeId.id, grounds, parts) }
    return { ...named, code: undefined, fingerprint, untilMs: svid.expiresMs + skewMs }
  }
  const reason = `${svid.message} (${svid.code})`
  const grounds = { assurance: 'claimed', method: 'jwt-svid', source: tokenSource, reason } as const
  const id = nameSpiffeId(sub, redact)
  return {
    workload: { ...grounds, kind: 'workload', id },
    token: { ...grounds, digest: fingerprint, fingerprint: fingerprintOf(credential), subject: id },
    code: svid.code,
    fingerprint,
    untilMs: nowMs + refusedForMs,
  }
}

/** Nothing where no roles are configured. */
export function roleFor(
  id: string,
  grounds: Grounds,
  { roles, redact }: Pick<SvidJudgeParts, 'roles' | 'redact'>,
): Pick<JudgedSvid, 'role'> {
  if (roles === undefined) return {}
  return { role: roleOf(roles, { sub: id }, { vouched: grounds, keep: (text) => clipText(redact(text)) }) }
}

/** The workload it names, and how the record refers to the token. */
export function describeJwtSvid(
  { spiffeId, audience, expiresMs, tokenId }: VerifiedJwtSvid,
  grounds: Grounds,
  { credential, digest, redact }: { credential: string; digest: KeyedDigest; redact: Redact },
): { workload: Actor; token: TokenRef } {
  const id = nameSpiffeId(spiffeId.id, redact)
  const issuer = spiffeId.trustDomain
  return {
    workload: { ...grounds, kind: 'workload', id, issuer },
    token: {
      ...grounds,
      digest,
      fingerprint: fingerprintOf(credential),
      issuer,
      subject: id,
      audience: clipText(redact(audience)),
      expires: formatTimestamp(expiresMs),
      ...(tokenId === undefined ? {} : { tokenId: clipText(redact(tokenId)) }),
    },
  }
}

/** A refusal is an answer here, and anything else a defect. */
export async function orRefused(work: Promise<VerifiedJwtSvid>): Promise<VerifiedJwtSvid | SpiffeRefusal> {
  try {
    return await work
  } catch (error) {
    if (error instanceof SpiffeRefusal) return error
    throw error
  }
}

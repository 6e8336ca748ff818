import type { Absent } from '@affidavit/evidence/record/absent'
import { isAbsent } from '@affidavit/evidence/record/absent'
import type { TokenRef } from '@affidavit/evidence/record/identity-section'
import type { Principals } from '../principals.ts'
import { boundChain } from '../token-principals.ts'
import type { JudgedSvid } from './svid-judge.ts'

const nobody = {}
const joined = new WeakMap<Principals, WeakMap<object, WeakMap<object, Principals>>>()

/** Whoever a request names, with what its SVIDs say of the workload. The same object for the same three. */
export function withSvids(
  principals: Principals,
  certificate: JudgedSvid | undefined,
  token: JudgedSvid | undefined,
): Principals {
  if (certificate === undefined && token === undefined) return principals
  const byCertificate = joined.get(principals) ?? new WeakMap<object, WeakMap<object, Principals>>()
  joined.set(principals, byCertificate)
  const byToken = byCertificate.get(certificate ?? nobody) ?? new WeakMap<object, Principals>()
  byCertificate.set(certificate ?? nobody, byToken)
  const known = byToken.get(token ?? nobody)
  if (known !== undefined) return known
  const made = withCertificate(withToken(principals, token), certificate)
  byToken.set(token ?? nobody, made)
  return made
}

const noUser: Absent = { absent: 'a JWT-SVID names a workload and no user' }
const noRole: Absent = { absent: 'a JWT-SVID names no role' }

/** One that was refused may be another kind of token: then it stays as it was described, and the claim is added. */
function withToken(principals: Principals, judged: JudgedSvid | undefined): Principals {
  if (judged === undefined) return principals
  const { workload, token = principals.token, role = noRole } = judged
  if (judged.code === undefined) return { workload, user: noUser, role, token, delegation: [] }
  return isAbsent(principals.workload) ? { ...principals, workload } : principals
}

/**
 * A certificate whose key the peer has shown says more of it than a token that anybody may carry. Where the token names
 * another workload, that one asked first and the peer asks on its behalf.
 */
function withCertificate(principals: Principals, judged: JudgedSvid | undefined): Principals {
  if (judged === undefined || judged.code === 'certificate_missing') return principals
  const { workload, token: shown = principals.token, role = principals.role } = judged
  // A token that was sent is the credential of the call, and its role that of whom the call is for; the certificate fills what is missing.
  const filled: Principals = {
    ...principals,
    token: isAbsent(principals.token) ? shown : principals.token,
    role: isAbsent(principals.role) ? role : principals.role,
  }
  const { workload: other, token, delegation } = filled
  if (judged.code !== undefined) return isAbsent(other) ? { ...filled, workload } : filled
  if (isAbsent(other) || isAbsent(workload) || other.id === workload.id) return { ...filled, workload }
  if (other.method === 'jwt-svid') return { ...filled, workload, delegation: boundChain([...delegation, other]) }
  return { ...filled, workload, token: withClient(token, other.id) }
}

/** The client that a token names makes room for the certificate's workload, and is not lost. */
function withClient(token: TokenRef | Absent, clientId: string): TokenRef | Absent {
  return isAbsent(token) || token.clientId !== undefined ? token : { ...token, clientId }
}

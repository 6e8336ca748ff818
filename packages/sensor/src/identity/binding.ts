import type { VerifiedToken } from './access-token.ts'
import type { GuardRequest } from './admission.ts'
import { isJsonObject } from './claims.ts'
import type { PresentedToken } from './credential.ts'
import type { VerifyProof } from './dpop-proof.ts'
import { Refusal } from './refusal-code.ts'

/** Ways of binding that are checked: a key (RFC 9449 §6.1) and a certificate (RFC 8705 §3.1). */
const checked = ['jkt', 'x5t#S256']

/**
 * Whether the token came from whoever it is bound to (`cnf`, RFC 7800). It says nothing of tokens that are bound to nobody.
 * Throws Refusal.
 */
export async function verifyBinding(
  { claims, rules }: VerifiedToken,
  { scheme, token, proofs }: PresentedToken,
  request: GuardRequest,
  verifyProof: VerifyProof,
): Promise<void> {
  const { cnf } = claims
  if (cnf === undefined) {
    if (scheme === 'dpop') throw new Refusal('dpop_unbound')
    return
  }
  // One that is not understood might be the one that counts.
  if (!isJsonObject(cnf) || !Object.keys(cnf).every((name) => checked.includes(name)) || Object.keys(cnf).length === 0)
    throw new Refusal('proof_unsupported')
  const { jkt: thumbprint, 'x5t#S256': certificate } = cnf
  if (certificate !== undefined) {
    const shown = request.certificate?.()
    if (shown === undefined) throw new Refusal('certificate_missing')
    if (shown !== certificate) throw new Refusal('wrong_certificate')
  }
  if (thumbprint === undefined) {
    if (scheme === 'dpop') throw new Refusal('dpop_unbound')
    return
  }
  const [proof, ...more] = proofs
  // RFC 9449 §7.1: by scheme Bearer, a token that is bound to a key is used as if it were not.
  if (scheme !== 'dpop' || proof === undefined) throw new Refusal('dpop_missing')
  if (more.length > 0) throw new Refusal('dpop_ambiguous')
  if (typeof thumbprint !== 'string') throw new Refusal('proof_unsupported')
  const { method, target, nowMs } = request
  const about = { token, thumbprint, method, target, origins: request.origins(), nowMs, skewMs: rules.skewMs }
  await verifyProof(proof, about)
}

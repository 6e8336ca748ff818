import { SpiffeRefusal } from './spiffe-refusal.ts'

/** A name in a trust domain (SPIFFE-ID). */
export interface SpiffeId {
  /** As it was written; there is one spelling only. */
  id: string
  trustDomain: string
  /** Empty for the trust domain itself, else it begins with `/`. */
  path: string
}

const idBytesMax = 2048
const trustDomainBytesMax = 255
/** SPIFFE-ID §2.1: no upper case, no percent-encoding, hence neither port, user nor address in brackets. */
const trustDomainForm = /^[a-z0-9._-]+$/
const segmentForm = /^[A-Za-z0-9._-]+$/

export function isTrustDomain(text: string): boolean {
  return text.length <= trustDomainBytesMax && trustDomainForm.test(text)
}

/**
 * SPIFFE-ID §2. Not by a URL parser: those lower-case, decode and drop dots, and two texts would become one identity.
 * Throws SpiffeRefusal `spiffe_id_malformed`.
 */
export function parseSpiffeId(text: string): SpiffeId {
  const [, trustDomain = '', path = ''] = /^spiffe:\/\/([^/]*)(\/.*)?$/s.exec(text) ?? []
  if (text.length > idBytesMax || !isTrustDomain(trustDomain) || !isPath(path))
    throw new SpiffeRefusal('spiffe_id_malformed')
  return { id: text, trustDomain, path }
}

/** §2.2: segments are neither empty nor dots, and there is no slash at the end. */
function isPath(path: string): boolean {
  if (path === '') return true
  const [, ...segments] = path.split('/')
  return segments.every((segment) => segmentForm.test(segment) && segment !== '.' && segment !== '..')
}

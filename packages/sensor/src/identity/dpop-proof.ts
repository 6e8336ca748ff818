import { createHash } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, compactVerify, errors, importJWK, type JWK } from 'jose'
import { createBoundedMap } from './bounded-map.ts'
import { isJsonObject } from './claims.ts'
import { type JwtText, parseJwtText } from './jwt-text.ts'
import { Refusal } from './refusal-code.ts'
import { createReplayMemory, type ReplayMemory } from './replay-memory.ts'
import { signatureAlgorithms } from './token-trust.ts'

/** Proof of possession by DPoP (RFC 9449). Every request brings a proof of its own, so every one costs a signature check. */
export type VerifyProof = (proof: string, about: ProofAbout) => Promise<void>

/** What the proof must be about. */
export interface ProofAbout {
  token: string
  /** `cnf.jkt` of the token. */
  thumbprint: string
  method: string
  /** Path and query as they came. */
  target: string
  /** Origins under which the client may have addressed us. */
  origins: readonly string[]
  nowMs: number
  skewMs: number
}

const proofCharsMax = 8 * 1024
const proofIdCharsMax = 256
/** How old a proof may be: clients make one for each request. */
const ageMaxMs = 60_000
const keysMax = 1024
const algorithms: readonly unknown[] = signatureAlgorithms
/** Members of private and symmetric keys (RFC 7518 §6). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The check throws Refusal with one of the codes `dpop_…`. */
export function createVerifyProof(memory: ReplayMemory = createReplayMemory()): VerifyProof {
  const keys = createBoundedMap<CryptoKey>(keysMax)
  return async (proof, about) => {
    const { header, claims } = parseProof(proof)
    const { alg, jwk } = judgeHeader(header)
    const { id, untilMs } = judgeProofClaims(claims, about)
    const thumbprint = await thumbprintOf(jwk)
    if (thumbprint !== about.thumbprint) throw new Refusal('dpop_wrong_key')
    // Kept for keys that tokens are bound to alone: others never come so far.
    const name = `${alg} ${thumbprint}`
    const key = keys.get(name) ?? (await importKey(jwk, alg))
    keys.set(name, key)
    await verifyWith(proof, key, alg)
    const use = memory.use({ thumbprint, id, untilMs }, about.nowMs)
    if (use !== 'first') throw new Refusal(use === 'again' ? 'dpop_replayed' : 'dpop_busy')
  }
}

function parseProof(proof: string): JwtText {
  const text = proof.length > proofCharsMax ? 'token_oversized' : parseJwtText(proof)
  if (typeof text === 'string') throw new Refusal('dpop_malformed')
  return text
}

/** RFC 9449 §4.3, checks 4 to 7. */
function judgeHeader({ typ, alg, jwk, crit, b64 }: Record<string, unknown>): { alg: string; jwk: JWK } {
  if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt') throw new Refusal('dpop_wrong_type')
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new Refusal('dpop_algorithm_refused')
  if (crit !== undefined || b64 !== undefined) throw new Refusal('dpop_malformed')
  if (!isJsonObject(jwk) || secretMembers.some((name) => Object.hasOwn(jwk, name)))
    throw new Refusal('dpop_key_refused')
  return { alg, jwk: parseJwk(jwk) }
}

/** jose judges the members itself when it makes a key of them. */
function parseJwk(jwk: Record<string, unknown>): JWK {
  return jwk as JWK
}

/** RFC 9449 §4.3, checks 3 and 8 to 12: cheap, and before the signature. */
function judgeProofClaims(claims: Record<string, unknown>, about: ProofAbout): { id: string; untilMs: number } {
  const { jti, htm, htu, iat, ath } = claims
  const isId = typeof jti === 'string' && jti !== '' && jti.length <= proofIdCharsMax
  if (!isId || typeof htm !== 'string' || typeof htu !== 'string' || typeof iat !== 'number' || typeof ath !== 'string')
    throw new Refusal('dpop_malformed')
  if (htm !== about.method) throw new Refusal('dpop_wrong_method')
  if (!isAbout(htu, about)) throw new Refusal('dpop_wrong_url')
  const madeMs = iat * 1000
  const untilMs = madeMs + ageMaxMs + about.skewMs
  if (madeMs > about.nowMs + about.skewMs || untilMs < about.nowMs) throw new Refusal('dpop_wrong_time')
  if (ath !== createHash('sha256').update(about.token).digest('base64url')) throw new Refusal('dpop_wrong_token')
  return { id: jti, untilMs }
}

/** Query and fragment aside, and normalised (RFC 3986 §6.2.2, §6.2.3). */
function isAbout(htu: string, { origins, target }: ProofAbout): boolean {
  if (!URL.canParse(htu)) return false
  const { origin, pathname } = new URL(htu)
  if (!origins.includes(origin) || !URL.canParse(target, origin)) return false
  const asked = new URL(target, origin)
  return asked.origin === origin && asked.pathname === pathname
}

async function thumbprintOf(jwk: JWK): Promise<string> {
  try {
    return await calculateJwkThumbprint(jwk)
  } catch (error) {
    throw isUnusable(error) ? new Refusal('dpop_key_refused') : error
  }
}

async function importKey(jwk: JWK, alg: string): Promise<CryptoKey> {
  // Without `alg`, `use` and `key_ops`: what the client says of its own key binds nobody.
  const { kty, crv, x, y, n, e } = jwk
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  try {
    const key = await importJWK({ kty: '', ...Object.fromEntries(members) }, alg)
    if (key instanceof Uint8Array || key.type !== 'public') throw new Refusal('dpop_key_refused')
    return key
  } catch (error) {
    throw isUnusable(error) ? new Refusal('dpop_key_refused') : error
  }
}

async function verifyWith(proof: string, key: CryptoKey, alg: string): Promise<void> {
  try {
    await compactVerify(proof, key, { algorithms: [alg] })
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) throw new Refusal('dpop_bad_signature')
    throw isUnusable(error) ? new Refusal('dpop_key_refused') : error
  }
}

/** What jose and Web Crypto say to members that make no key, or one that is too short or of another algorithm. */
function isUnusable(error: unknown): boolean {
  return error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException
}

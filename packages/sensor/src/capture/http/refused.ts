import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import type { HttpExchange } from './exchange.ts'

const unnamedAgent = { absent: 'the request holds no message in which an agent could name itself' }

/**
 * The server refused the credential of a request that holds no message, as for a stream or the end of a session: there is no
 * call that could be recorded as denied. Where even this cannot be recorded, it is said; the refusal reaches the client all
 * the same, for it discloses nothing.
 */
export async function recordRefused({ upstream, origin }: HttpExchange, status: 401 | 403): Promise<void> {
  const { emit, diagnose } = upstream.context
  const { principals } = origin
  const fingerprint = 'digest' in principals.token ? { fingerprint: principals.token.digest } : {}
  const detail = { event: 'refused', code: `http_${status}`, ...fingerprint } as const
  const identity = encodeIdentity({ agent: unnamedAgent, ...principals })
  try {
    await emit({ kind: 'auth', server: upstream.knowledge.server, detail }, { identity })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_AUDIT_UNAVAILABLE', `a refusal of the server's could not be recorded (${code})`)
  }
}

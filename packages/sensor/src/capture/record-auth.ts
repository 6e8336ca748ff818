import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import type { AuthEvent } from '../identity/admission.ts'
import type { CaptureContext } from './context.ts'

const unnamedAgent = { absent: 'the agent names itself in messages, not in its credential' }

/** Whoever made the event, to whom it comes back where it cannot be recorded now. */
export interface AuthEventSource {
  giveBack(events: readonly AuthEvent[]): void
}

/** A record that cannot be made now is given back; the calls themselves keep to the fail mode. Never rejects. */
export async function recordAuth(
  event: AuthEvent,
  source: AuthEventSource,
  { emit, serverName, diagnose }: Pick<CaptureContext, 'emit' | 'serverName' | 'diagnose'>,
): Promise<void> {
  const { detail, principals } = event
  const identity = encodeIdentity({ agent: unnamedAgent, ...principals })
  try {
    const { recorded } = await emit({ kind: 'auth', server: { name: serverName }, detail }, { identity })
    if (!recorded) source.giveBack([event])
  } catch (error) {
    source.giveBack([event])
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_AUDIT_UNAVAILABLE', `a judgement on a credential could not be recorded yet (${code})`)
  }
}

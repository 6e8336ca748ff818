import { isAbsent } from '@affidavit/evidence/record/absent'
import type { Principals } from '../../identity/principals.ts'
import type { CaptureContext } from '../context.ts'
import type { RequestOrigin } from '../origin.ts'

/** To whom a server shows its tools: what one of them is shown is compared with what the same one was shown before. */
export interface Viewer {
  /** The same in every process, and no identifier of a person. */
  principal: string
  /** Within this process; undefined where requests belong to no session. */
  session: string | undefined
}

/** All that use a server over stdio are the one whose process started us. */
const stdioViewer: Viewer = { principal: 'stdio', session: 'stdio' }
const keys = new WeakMap<Principals, string>()

export function viewerOf({ principals, session }: RequestOrigin, digest: CaptureContext['digest']): Viewer {
  if (session === 'stdio') return stdioViewer
  const principal = keys.get(principals) ?? digest(namePrincipals(principals))
  keys.set(principals, principal)
  return { principal, session: 'digest' in session ? session.digest : undefined }
}

/** Tokens are renewed and users stay; whoever has neither is nobody in particular, together with all others like him. */
function namePrincipals({ user, role, token }: Principals): string {
  const nameActor = (actor: Principals['user']) => (isAbsent(actor) ? null : [actor.issuer ?? '', actor.id])
  const credential = isAbsent(user) && !isAbsent(token) ? token.digest : null
  return JSON.stringify([nameActor(user), nameActor(role), credential])
}

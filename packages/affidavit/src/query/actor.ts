import { isAbsent } from '@affidavit/evidence/record/absent'
import { type IdentitySection, parseIdentity } from '@affidavit/evidence/record/identity-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { parseOpened } from './opened-section.ts'

/** Who acted, as the opened section `identity` says; nothing where it is absent, erased or was never written. */
export interface Actor {
  /** Name, else id. */
  agent?: string
  agentId?: string
  agentVersion?: string
  user?: string
  userId?: string
  /** Id of the run of a CI pipeline that is behind it, as the pipeline's own system counts them. */
  run?: string
  /** SHA-256 of the token that came along, 32 bytes: what others print of it. */
  tokenFingerprint?: Uint8Array
}

export function readActor(sections: Sections): Actor {
  const identity = parseOpened(sections.identity, parseIdentity)
  if (identity === undefined) return {}
  const { agent, user, token } = identity
  return {
    ...(isAbsent(agent) ? {} : { agent: agent.name ?? agent.id, agentId: agent.id }),
    ...(isAbsent(agent) || agent.version === undefined ? {} : { agentVersion: agent.version }),
    ...(isAbsent(user) ? {} : { user: user.name ?? user.id, userId: user.id }),
    ...runOf(identity),
    ...(isAbsent(token) || token.fingerprint === undefined
      ? {}
      : { tokenFingerprint: Buffer.from(token.fingerprint, 'base64') }),
  }
}

/** As GitHub Actions and GitLab CI name it in their tokens. */
const runNames: readonly string[] = ['run_id', 'pipeline_id']

function runOf({ user, workload, delegation }: IdentitySection): { run?: string } {
  const actors = [user, workload, ...delegation].flatMap((actor) => (isAbsent(actor) ? [] : [actor]))
  const run = actors.flatMap(({ attributes = [] }) => attributes).find(({ name }) => runNames.includes(name))
  return run === undefined ? {} : { run: run.value }
}

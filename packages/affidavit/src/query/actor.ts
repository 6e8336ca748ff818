import { isAbsent } from '@affidavit/evidence/record/absent'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
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
}

export function readActor(sections: Sections): Actor {
  const identity = parseOpened(sections.identity, parseIdentity)
  if (identity === undefined) return {}
  const { agent, user } = identity
  return {
    ...(isAbsent(agent) ? {} : { agent: agent.name ?? agent.id, agentId: agent.id }),
    ...(isAbsent(agent) || agent.version === undefined ? {} : { agentVersion: agent.version }),
    ...(isAbsent(user) ? {} : { user: user.name ?? user.id, userId: user.id }),
  }
}

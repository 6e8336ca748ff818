import { isAbsent } from '@affidavit/evidence/record/absent'
import { RecordError } from '@affidavit/evidence/record/error'
import { type IdentitySection, parseIdentity } from '@affidavit/evidence/record/identity-section'
import type { Sections } from '@affidavit/evidence/record/sections'

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
  const identity = parseSection(sections.identity)
  if (identity === undefined) return {}
  const { agent, user } = identity
  return {
    ...(isAbsent(agent) ? {} : { agent: agent.name ?? agent.id, agentId: agent.id }),
    ...(isAbsent(agent) || agent.version === undefined ? {} : { agentVersion: agent.version }),
    ...(isAbsent(user) ? {} : { user: user.name ?? user.id, userId: user.id }),
  }
}

/** A section of another shape names nobody; verification is who reports it. */
function parseSection(bytes: Uint8Array | undefined): IdentitySection | undefined {
  if (bytes === undefined) return undefined
  try {
    return parseIdentity(bytes)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}

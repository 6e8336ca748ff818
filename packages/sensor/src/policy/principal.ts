import { type Actor, type IdentitySection, parseIdentity } from '@affidavit/evidence/record/identity-section'
import type { CedarValue } from './cedar-value.ts'

export interface EntityUid {
  type: string
  id: string
}

export interface Entity {
  uid: EntityUid
  attrs: Record<string, CedarValue>
  parents: EntityUid[]
}

/** Who asks, as entities: the agent, and those behind it. */
export interface PrincipalEntities {
  /** Always an `Agent`; one that named itself nothing is `unnamed`. */
  uid: EntityUid
  entities: Entity[]
}

export const unnamedAgent = 'unnamed'
const byIdentity = new WeakMap<Uint8Array, PrincipalEntities>()

/** Made once per agent and principals: it is the same for every call that an agent makes for somebody. */
export function toPrincipal(identity: Uint8Array): PrincipalEntities {
  const known = byIdentity.get(identity)
  if (known !== undefined) return known
  const made = makePrincipal(parseIdentity(identity))
  byIdentity.set(identity, made)
  return made
}

/**
 * Only who is verified or attested is an ancestor, so that `principal in Role::"admin"` never holds by a mere claim; what
 * is claimed can be reached as an attribute, beside its assurance.
 */
function makePrincipal(identity: IdentitySection): PrincipalEntities {
  const { agent, user, role, token } = identity
  const { workload, initiator } = castOf(identity)
  const behind = [
    ...entityOf('Workload', 'workload', workload),
    ...entityOf('User', 'user', user),
    ...rolesOf(role),
    ...entityOf('Initiator', 'initiator', initiator),
  ]
  const uid = { type: 'Agent', id: 'absent' in agent ? unnamedAgent : agent.id }
  const attrs: Record<string, CedarValue> = {
    ...('absent' in agent ? { assurance: 'claimed', method: 'none' } : attributesOf(agent)),
    roles: behind.filter(({ uid: { type } }) => type === 'Role').map(({ uid }) => ({ __entity: { ...uid } })),
  }
  for (const { attribute, uid } of behind) if (attribute !== 'role') attrs[attribute] = { __entity: { ...uid } }
  if (!('absent' in token)) {
    const { issuer, audience, clientId, assurance } = token
    attrs.token = present({ issuer, audience, clientId, assurance })
  }
  const parents = behind.filter(({ attrs }) => attrs.assurance !== 'claimed').map(({ uid }) => uid)
  return { uid, entities: [{ uid, attrs, parents }, ...behind.map(({ uid, attrs }) => ({ uid, attrs, parents: [] }))] }
}

/**
 * Which workload counts, and who began. On stdio a record has the process that the kernel attests, and last in the chain what a
 * platform calls it (an SVID, a service account): that one counts where it is verified, and began nothing in either case.
 */
export function castOf({ workload, delegation }: IdentitySection): Cast {
  const [first] = delegation
  const last = delegation.at(-1)
  const isPlatforms = last?.kind === 'workload' && !('absent' in workload) && workload.assurance === 'attested'
  if (!isPlatforms) return { workload, initiator: first }
  return { workload: last.assurance === 'verified' ? last : workload, initiator: first === last ? undefined : first }
}

interface Cast {
  workload: IdentitySection['workload']
  initiator: Actor | undefined
}

type Named = Omit<Entity, 'parents'> & { attribute: string }

function entityOf(type: string, attribute: string, actor: Actor | { absent: string } | undefined): Named[] {
  if (actor === undefined || 'absent' in actor) return []
  return [{ uid: { type, id: actor.id }, attrs: attributesOf(actor), attribute }]
}

/** A record names several roles of one token side by side. */
function rolesOf(role: Actor | { absent: string }): Named[] {
  if ('absent' in role) return []
  const names = [...new Set(role.id.split(' ').filter((name) => name !== ''))]
  return names.map((id) => ({ uid: { type: 'Role', id }, attrs: attributesOf(role), attribute: 'role' }))
}

function attributesOf({ assurance, method, name, version, issuer, kind, uid, executable, attributes }: Actor) {
  const more = Object.fromEntries((attributes ?? []).map(({ name, value }) => [name, value]))
  return present({ assurance, method, name, version, issuer, kind, uid, executable, attributes: more })
}

function present(members: Record<string, CedarValue | undefined>): Record<string, CedarValue> {
  const kept: Record<string, CedarValue> = {}
  for (const [key, value] of Object.entries(members)) if (value !== undefined) kept[key] = value
  return kept
}

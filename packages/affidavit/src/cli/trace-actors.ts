import { type Absent, isAbsent } from '@affidavit/evidence/record/absent'
import type { Actor, Grounds, IdentitySection, TokenRef } from '@affidavit/evidence/record/identity-section'
import { breakStep, type StepLink, type TraceStep } from './trace-step.ts'

const unreadableActors = 'unreadable'
/** Methods that find everything they say in a credential. */
const ofProcess = /process|os-user|peer-credentials|kernel|cgroup|environment/

/** From who began it to the agent, as the identity of one record has it. */
export function actorSteps(identity: IdentitySection): TraceStep[] {
  const { user, delegation, workload, agent } = identity
  const last = delegation.at(-1)
  return [
    ...initiatorSteps(user, delegation),
    ...delegation.flatMap((actor) =>
      actor.id === unreadableActors
        ? [breakStep(`the chain of actors has more: ${actor.reason ?? ''}`)]
        : [actStep(actor)],
    ),
    ...(isAbsent(workload) || workload.id === last?.id ? [] : [workloadStep(workload)]),
    isAbsent(agent) ? breakStep(`nothing says which agent it was: ${agent.absent}`) : agentStep(agent),
  ]
}

function initiatorSteps(user: Actor | Absent, delegation: readonly Actor[]): TraceStep[] {
  if (!isAbsent(user)) {
    const isAccount = user.method === 'os-user' && delegation.length === 0
    return [
      { ...toStep(user.kind === 'job' ? 'run' : 'user', user), link: linkTo(user, 'subject') },
      ...(isAccount
        ? [breakStep('nothing says who started the agent: only the account is known that it runs under')]
        : []),
    ]
  }
  return delegation.length > 0 ? [] : [breakStep(`nothing says who started the agent: ${user.absent}`)]
}

function actStep(actor: Actor): TraceStep {
  return { ...toStep(actor.kind === 'job' ? 'run' : 'actor', actor), link: linkTo(actor, 'act') }
}

function workloadStep(actor: Actor): TraceStep {
  return { ...toStep('workload', actor), link: linkTo(actor, 'client') }
}

function agentStep(actor: Actor): TraceStep {
  const step = toStep('agent', actor)
  return {
    ...step,
    name: actor.version === undefined ? step.name : `${step.name} ${actor.version}`,
    link: { by: 'client-info', assurance: actor.assurance, text: `what the client says of itself (${actor.source})` },
  }
}

function toStep(type: TraceStep['type'], actor: Actor): TraceStep {
  const told = new Map((actor.attributes ?? []).map(({ name, value }) => [name, value]))
  const run = told.get('run_id') ?? told.get('pipeline_id')
  const project = told.get('repository') ?? told.get('project_path')
  const name = actor.name ?? actor.id
  const of = project === undefined ? '' : ` of ${project}`
  const attributes = [...told].map(([key, value]) => `${key} ${value}`).join(', ')
  return {
    type,
    name: run === undefined ? name : `run ${run}${of}`,
    facts: [
      ...(run === undefined && name === actor.id ? [] : [{ name: 'id', text: actor.id }]),
      ...(actor.issuer === undefined || actor.issuer === actor.source
        ? []
        : [{ name: 'vouched by', text: actor.issuer }]),
      ...(attributes === '' ? [] : [{ name: 'attributes', text: attributes }]),
      ...(actor.reason === undefined ? [] : [{ name: 'but', text: actor.reason }]),
    ],
    next: [],
  }
}

const claimNames = { subject: 'the subject', act: 'an act claim', client: 'the client' } as const

/** What is not read from a credential is joined by how it was found. */
function linkTo(actor: Actor, claim: keyof typeof claimNames): StepLink {
  const { method, assurance, source } = actor
  if (ofProcess.test(method)) return { by: method, assurance, text: `the kernel's word (${method}, ${source})` }
  return { by: claim, assurance, text: `${claimNames[claim]} of the credential (${method}, ${source})` }
}

/** How a request is tied to who sends it: by its credential, else by the process at the other end. */
export function requestLink({ token, workload, user }: IdentitySection): StepLink {
  if (!isAbsent(token)) return toLink(token, 'it came with the credential')
  const process = [workload, user].find((actor): actor is Actor => !isAbsent(actor) && ofProcess.test(actor.method))
  if (process !== undefined) return toLink(process, 'it came from the process')
  return { by: 'request', assurance: 'claimed', text: `its request; no credential came with it: ${token.absent}` }
}

function toLink({ assurance, method, source }: Grounds, text: string): StepLink {
  return { by: 'request', assurance, text: `its request; ${text} (${method}, ${source})` }
}

/** Of a credential, what may be shown; the credential itself is nowhere. */
export function describeToken(token: TokenRef, judged: { leaf: number; expires?: string } | undefined): string {
  const expires = token.expires ?? judged?.expires
  return [
    `${token.method}, ${token.assurance}`,
    ...(token.audience === undefined ? [] : [`for ${token.audience}`]),
    ...(token.tokenId === undefined ? [] : [`id ${token.tokenId}`]),
    expires === undefined ? 'nothing says when it ends' : `good until ${expires}`,
    ...(judged === undefined ? [] : [`admitted at leaf:${judged.leaf}`]),
  ].join(', ')
}

const ranks = { verified: 2, attested: 1, claimed: 0 } as const

/** How much an identity proves: of several records of one call, the best is shown. */
export function rankOf({ token, user, workload, delegation }: IdentitySection): number {
  const rankedActors = [user, workload, ...delegation].map((actor) => (isAbsent(actor) ? -1 : ranks[actor.assurance]))
  return 10 * (isAbsent(token) ? -1 : ranks[token.assurance]) + Math.max(...rankedActors)
}

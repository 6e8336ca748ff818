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
    ...delegation.flatMap((actor, i) =>
      actor.id === unreadableActors
        ? [breakStep(`the chain of actors has more: ${actor.reason ?? ''}`)]
        : [delegationStep(actor, claimOf(actor, delegation[i + 1], identity))],
    ),
    ...(isAbsent(workload) || workload.id === last?.id ? [] : [workloadStep(workload)]),
    isAbsent(agent) ? breakStep(`nothing says which agent it was: ${agent.absent}`) : agentStep(agent),
  ]
}

function initiatorSteps(user: Actor | Absent, delegation: readonly Actor[]): TraceStep[] {
  if (!isAbsent(user)) {
    const isAccount = user.method === 'os-user' && delegation.length === 0
    return [
      {
        ...toStep(user.kind === 'job' ? 'run' : 'user', user),
        link: linkTo(user, isOwnRun(delegation[0]) ? 'starter' : 'subject'),
      },
      ...(isAccount
        ? [breakStep('nothing says who started the agent: only the account is known that it runs under')]
        : []),
    ]
  }
  return delegation.length > 0 ? [] : [breakStep(`nothing says who started the agent: ${user.absent}`)]
}

const stepTypes: Partial<Record<NonNullable<Actor['kind']>, TraceStep['type']>> = { job: 'run', workload: 'workload' }

function delegationStep(actor: Actor, claim: Claim): TraceStep {
  return { ...toStep(stepTypes[actor.kind ?? 'person'] ?? 'actor', actor), link: linkTo(actor, claim) }
}

/** On stdio the kernel names user and workload, and those whom the token names as such stand in the chain. */
function claimOf(actor: Actor, next: Actor | undefined, { user, workload, token }: IdentitySection): Claim {
  if (isOwnRun(actor)) return 'job'
  const isStdio = [user, workload].some((named) => !isAbsent(named) && ofProcess.test(named.method))
  if (!isStdio || isAbsent(token)) return 'act'
  if (actor.id === token.subject) return 'subject'
  if (actor.id === token.clientId) return 'client'
  return isOwnRun(next) ? 'starter' : 'act'
}

/** A run that no actor claim names, but a token of its own: its id is made of what that tells. */
function isOwnRun(actor: Actor | undefined): boolean {
  if (actor?.kind !== 'job') return false
  const told = new Map((actor.attributes ?? []).map(({ name, value }) => [name, value]))
  const ids = [
    `${told.get('repository')}/actions/runs/${told.get('run_id')}`,
    `${told.get('project_path')}/-/jobs/${told.get('job_id')}`,
  ]
  return ids.includes(actor.id)
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

const claimTexts = {
  subject: 'the subject of the credential',
  act: 'an act claim of the credential',
  client: 'the client of the credential',
  job: "the job's own token",
  starter: "the job's own token, which says who started it",
} as const
/** By method: what names a workload and is no token with claims of others. */
const svidTexts: ReadonlyMap<string, string> = new Map([
  ['x509-svid', 'its SVID, a certificate'],
  ['x509', 'the certificate of its connection'],
  ['jwt-svid', 'its SVID, a token'],
])
type Claim = keyof typeof claimTexts

/** What is not read from a credential is joined by how it was found. */
function linkTo(actor: Actor, claim: Claim): StepLink {
  const { method, assurance, source } = actor
  if (ofProcess.test(method)) return { by: method, assurance, text: `the kernel's word (${method}, ${source})` }
  const svid = svidTexts.get(method)
  if (svid !== undefined) return { by: 'svid', assurance, text: `${svid} (${method}, ${source})` }
  return { by: claim, assurance, text: `${claimTexts[claim]} (${method}, ${source})` }
}

/**
 * How a request is tied to who sends it: by a credential that came with it and proves it, else by the process at the other end,
 * else by what it claims. On stdio no request brings a credential: one that the environment holds says who the client works for,
 * and not that the client sent this.
 */
export function requestLink({ token, workload, user, lineage }: IdentitySection): StepLink {
  const process = [workload, user].find((actor): actor is Actor => !isAbsent(actor) && ofProcess.test(actor.method))
  const isOnStdio = lineage !== undefined && !isAbsent(lineage)
  const isProven = !isOnStdio && !isAbsent(token) && token.assurance === 'verified'
  if (process !== undefined && !isProven) return toLink(process, fromProcess)
  if (isOnStdio) return toLink({ assurance: 'attested', method: 'parent-process', source: '/proc' }, fromProcess)
  if (!isAbsent(token)) return toLink(token, 'it came with the credential')
  return { by: 'request', assurance: 'claimed', text: `its request; no credential came with it: ${token.absent}` }
}

const fromProcess = 'it came from the process at the other end, as which any other of the same user may pose'

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

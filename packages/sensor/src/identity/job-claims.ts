import type { Actor, Attribute } from '@affidavit/evidence/record/identity-section'
import { attribute, type Claims, textsAt } from './claim-texts.ts'

/** How the tokens of CI jobs tell which run of which pipeline they stand for, and who set it going. */
export const ciKinds = ['github-actions', 'gitlab-ci'] as const
export type CiKind = (typeof ciKinds)[number]

interface JobClaims {
  /** Recorded as attributes, in this order. */
  kept: readonly string[]
  required: readonly string[]
  /** Which run it is: whoever else tells it, tells of a job of this kind. */
  run: string
  startedBy: string
  /** Claims that make the id, and how: as the web address of the run has it. */
  idFrom: readonly [place: string, number: string]
  toId: (place: string, number: string) => string
  toName: (claims: Claims) => string | undefined
}

const jobClaims: Record<CiKind, JobClaims> = {
  /** https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect */
  'github-actions': {
    kept: [
      'repository', 'workflow', 'ref', 'sha', 'run_id', 'run_attempt', 'environment', 'actor', 'event_name',
      'job_workflow_ref', 'repository_id', 'repository_owner_id', 'runner_environment',
    ], // biome-ignore format: one list, read as one
    required: ['repository', 'run_id', 'ref'],
    run: 'run_id',
    startedBy: 'actor',
    idFrom: ['repository', 'run_id'],
    toId: (repository, run) => `${repository}/actions/runs/${run}`,
    toName: (claims) => textAt(claims, 'workflow'),
  },
  /** https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
  'gitlab-ci': {
    kept: [
      'project_path', 'pipeline_id', 'job_id', 'ref', 'ref_type', 'ref_protected', 'sha', 'environment', 'user_login',
      'pipeline_source', 'project_id', 'ci_config_ref_uri', 'runner_environment',
    ], // biome-ignore format: one list, read as one
    required: ['project_path', 'pipeline_id', 'job_id'],
    run: 'pipeline_id',
    startedBy: 'user_login',
    idFrom: ['project_path', 'job_id'],
    toId: (project, job) => `${project}/-/jobs/${job}`,
    toName: (claims) => `pipeline ${textAt(claims, 'pipeline_id')}`,
  },
}

type Keep = (text: string) => string
type JobFacts = Pick<Actor, 'kind' | 'attributes'>
type JobActor = JobFacts & Pick<Actor, 'id' | 'name'>

export function jobAttributes(kind: CiKind, claims: Claims): Attribute[] {
  return jobClaims[kind].kept.flatMap((name) => attribute(name, claims[name]))
}

export function requiredOfJob(kind: CiKind): readonly string[] {
  return jobClaims[kind].required
}

/** Who set the run going, as its issuer names people. */
export function starterOf(kind: CiKind, claims: Claims): string | undefined {
  return textAt(claims, jobClaims[kind].startedBy)
}

/** The run whose own token it is; undefined where it does not tell which. */
export function ownJobOf(kind: CiKind, claims: Claims, keep: Keep): JobActor | undefined {
  const { idFrom, toId, toName } = jobClaims[kind]
  const [place, number] = idFrom.map((name) => textAt(claims, name))
  if (place === undefined || number === undefined) return undefined
  const name = toName(claims)
  return {
    ...toJob(kind, claims, keep),
    id: keep(toId(place, number)),
    ...(name === undefined ? {} : { name: keep(name) }),
  }
}

/**
 * What a subject or an actor is of whom a token of another kind tells a run, as one does for which a job's token was
 * exchanged (RFC 8693). Nothing where the claims are not those of a run.
 */
export function describeJob(claims: Claims, keep: Keep): JobFacts | undefined {
  const kind = ciKinds.find((each) => textAt(claims, jobClaims[each].run) !== undefined)
  return kind === undefined ? undefined : toJob(kind, claims, keep)
}

function toJob(kind: CiKind, claims: Claims, keep: Keep): JobFacts {
  const attributes = jobAttributes(kind, claims).map(({ name, value }) => ({ name, value: keep(value) }))
  return { kind: 'job', attributes: attributes.filter(({ value }) => value !== '') }
}

function textAt(claims: Claims, name: string): string | undefined {
  return textsAt(claims, [name])[0]
}

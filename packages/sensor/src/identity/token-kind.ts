import type { Attribute } from '@affidavit/evidence/record/identity-section'
import { isJsonObject } from './claims.ts'

/** What kinds of token say in claims of their own, and what tells one job or workload from another. */
export const tokenKinds = ['oauth', 'github-actions', 'gitlab-ci', 'kubernetes'] as const
export type TokenKind = (typeof tokenKinds)[number]

/** Where a role comes from: a claim by name (or by the path to it), or the configuration. */
export type RoleRule = { claim: readonly string[] } | { value: string }

/** How the claims of a token are read. */
export interface Reading {
  kind: TokenKind
  role: RoleRule
}

export const usualReading: Reading = { kind: 'oauth', role: { claim: ['roles'] } }

type Claims = Record<string, unknown>

/** https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect */
const githubClaims = [
  'repository', 'workflow', 'ref', 'sha', 'run_id', 'run_attempt', 'environment', 'actor', 'event_name',
  'job_workflow_ref', 'repository_id', 'repository_owner_id', 'runner_environment',
] as const // biome-ignore format: one list, read as one
/** https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
const gitlabClaims = [
  'project_path', 'pipeline_id', 'job_id', 'ref', 'ref_type', 'ref_protected', 'sha', 'environment', 'user_login',
  'pipeline_source', 'project_id', 'ci_config_ref_uri', 'runner_environment',
] as const // biome-ignore format: one list, read as one

/** Attributes without which a token of this kind is not one. */
const required: Record<TokenKind, readonly string[]> = {
  oauth: [],
  'github-actions': ['repository', 'run_id', 'ref'],
  'gitlab-ci': ['project_path', 'pipeline_id', 'job_id'],
  kubernetes: ['namespace', 'serviceaccount'],
}

/** What the token says of the job or workload, in an order of its own; empty for `oauth`. Never throws. */
export function attributesOf(kind: TokenKind, claims: Claims): Attribute[] {
  if (kind === 'oauth') return []
  if (kind === 'kubernetes') return kubernetesAttributes(claims['kubernetes.io'])
  const names = kind === 'github-actions' ? githubClaims : gitlabClaims
  return names.flatMap((name) => attribute(name, claims[name]))
}

/** Names of what is missing. */
export function missingOf(kind: TokenKind, attributes: readonly Attribute[]): string[] {
  return required[kind].filter((name) => !attributes.some((each) => each.name === name))
}

/** Kubernetes writes the account twice, as subject and as an object. Two accounts in one token were made by no cluster. */
export function isConsistent(kind: TokenKind, { sub }: Claims, attributes: readonly Attribute[]): boolean {
  if (kind !== 'kubernetes') return true
  const of = (name: string) => attributes.find((each) => each.name === name)?.value
  return sub === `system:serviceaccount:${of('namespace')}:${of('serviceaccount')}`
}

/** Name and uid each of pod, node and account (KEP-1205, KEP-4193). */
function kubernetesAttributes(claim: unknown): Attribute[] {
  if (!isJsonObject(claim)) return []
  const objects = ['serviceaccount', 'pod', 'node'].flatMap((name) => {
    const bound = claim[name]
    return isJsonObject(bound) ? [...attribute(name, bound.name), ...attribute(`${name}_uid`, bound.uid)] : []
  })
  return [...attribute('namespace', claim.namespace), ...objects]
}

/** GitLab and GitHub write numbers as text, but need not. */
function attribute(name: string, value: unknown): Attribute[] {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  return typeof text === 'string' && text !== '' ? [{ name, value: text }] : []
}

/** Texts at a claim, which may be one, a list of them, or several in one (RFC 9068 §2.2.3.1). */
export function textsAt(claims: Claims, path: readonly string[]): string[] {
  let at: unknown = claims
  for (const name of path) at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  return (Array.isArray(at) ? at : [at]).flatMap((each) => attribute('', each)).map(({ value }) => value)
}

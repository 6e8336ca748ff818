import type { Attribute } from '@affidavit/evidence/record/identity-section'
import { attribute, type Claims } from './claim-texts.ts'
import { isJsonObject } from './claims.ts'
import { type CiKind, ciKinds, jobAttributes, requiredOfJob } from './job-claims.ts'
import type { RoleRule } from './token-role.ts'

/** What kinds of token say in claims of their own, and what tells one job or workload from another. */
export const tokenKinds = ['oauth', ...ciKinds, 'kubernetes'] as const
export type TokenKind = (typeof tokenKinds)[number]

/** How the claims of a token are read. */
export interface Reading {
  kind: TokenKind
  role: RoleRule
}

export const usualReading: Reading = { kind: 'oauth', role: { claim: ['roles'] } }

export function isCiKind(kind: TokenKind): kind is CiKind {
  return ciKinds.some((each) => each === kind)
}

/** What the token says of the job or workload, in an order of its own; empty for `oauth`. Never throws. */
export function attributesOf(kind: TokenKind, claims: Claims): Attribute[] {
  if (isCiKind(kind)) return jobAttributes(kind, claims)
  return kind === 'kubernetes' ? kubernetesAttributes(claims['kubernetes.io']) : []
}

/** Names of what is missing, without which a token of this kind is not one. */
export function missingOf(kind: TokenKind, attributes: readonly Attribute[]): string[] {
  const required = isCiKind(kind) ? requiredOfJob(kind) : kind === 'kubernetes' ? ['namespace', 'serviceaccount'] : []
  return required.filter((name) => !attributes.some((each) => each.name === name))
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

import { z } from 'zod'
import type { KeyApprover } from '../approve/approvers.ts'
import { trustedIssuers } from './identity-config.ts'
import { resolveIssuerFiles, secureUrl } from './token-issuers.ts'

/** The key `approvals` of a configuration's `policy` (docs/POLICY.md). */

const word = z.string().min(1).max(256)
const alsoKnownAs = z
  .array(word)
  .max(16)
  .default([])
  .describe('other names under which the same person may ask: an account, the subject of a token')
const differ = (all: readonly string[]) => new Set(all).size === all.length

const approver = z.strictObject({
  id: word.describe('as records name whoever approves'),
  key: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected an Ed25519 public key, base64 of 32 bytes'),
  alsoKnownAs,
})

const tokenApprover = z.union(
  [
    z.strictObject({ issuer: secureUrl, subject: word, alsoKnownAs }),
    z.strictObject({ issuer: secureUrl, role: word, alsoKnownAs }),
  ],
  'must have issuer, and one of subject and role',
)

export const approvalsSchema = z
  .strictObject({
    approvers: z
      .array(approver)
      .max(64)
      .default([])
      .refine((all) => differ(all.map(({ id }) => id)) && differ(all.map(({ key }) => key)), 'names somebody twice')
      .describe('who approves by a key'),
    issuers: trustedIssuers.optional().describe('whose tokens prove who approves; a gateway takes them, run does not'),
    tokenApprovers: z.array(tokenApprover).max(256).default([]).describe('who approves by a token of theirs'),
    openSeconds: z.int().min(60).max(604_800).default(3600).describe('how long a request waits for somebody'),
    windowSeconds: z.int().min(1).max(86_400).default(900).describe('how long an approval counts'),
    uses: z.int().min(1).max(100).default(1).describe('how many calls an approval lets through'),
  })
  .refine(
    ({ approvers, tokenApprovers }) => approvers.length + tokenApprovers.length > 0,
    'nobody could approve: give approvers, or issuers and tokenApprovers',
  )
  .refine(({ issuers = [], tokenApprovers }) => areOf(issuers, tokenApprovers), {
    message: 'every issuer must be that of a tokenApprover, and every tokenApprover of one of the issuers',
    path: ['issuers'],
  })

export type ApprovalsConfig = z.infer<typeof approvalsSchema>

function areOf(issuers: readonly { issuer: string }[], approvers: readonly { issuer: string }[]): boolean {
  const among = (all: readonly { issuer: string }[]) => (each: { issuer: string }) =>
    all.some(({ issuer }) => issuer === each.issuer)
  return issuers.every(among(approvers)) && approvers.every(among(issuers))
}

/** The same block with files named from the root; `folder` is the configuration file's. */
export function resolveApprovals(config: ApprovalsConfig, folder: string): ApprovalsConfig {
  const { issuers } = config
  return issuers === undefined ? config : { ...config, issuers: resolveIssuerFiles(issuers, folder) }
}

export function toApprovers({ approvers }: ApprovalsConfig): KeyApprover[] {
  return approvers.map(({ id, key, alsoKnownAs }) => ({ id, key, alsoKnownAs }))
}

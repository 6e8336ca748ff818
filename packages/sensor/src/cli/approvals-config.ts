import { z } from 'zod'
import type { KeyApprover } from '../approve/approvers.ts'

/** The key `approvals` of a configuration's `policy` (docs/POLICY.md). */

const word = z.string().min(1).max(256)
const differ = (all: readonly string[]) => new Set(all).size === all.length

const approver = z.strictObject({
  id: word.describe('as records name whoever approves'),
  key: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected an Ed25519 public key, base64 of 32 bytes'),
  alsoKnownAs: z
    .array(word)
    .max(16)
    .default([])
    .describe('other names under which the same person may ask: an account, the subject of a token'),
})

export const approvalsSchema = z.strictObject({
  approvers: z
    .array(approver)
    .min(1)
    .max(64)
    .refine((all) => differ(all.map(({ id }) => id)) && differ(all.map(({ key }) => key)), 'names somebody twice')
    .describe('who approves by a key'),
  openSeconds: z.int().min(60).max(604_800).default(3600).describe('how long a request waits for somebody'),
  windowSeconds: z.int().min(1).max(86_400).default(900).describe('how long an approval counts'),
  uses: z.int().min(1).max(100).default(1).describe('how many calls an approval lets through'),
})

export type ApprovalsConfig = z.infer<typeof approvalsSchema>

export function toApprovers({ approvers }: ApprovalsConfig): KeyApprover[] {
  return approvers.map(({ id, key, alsoKnownAs }) => ({ id, key, alsoKnownAs }))
}

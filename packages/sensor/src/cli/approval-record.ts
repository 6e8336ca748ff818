import type { Draft } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import { parseApprovalStatement } from '@affidavit/evidence/wire/approval'

export interface DecisionMade {
  /** The encoded statement. */
  line: Uint8Array
  /** Of the key that the statement names; absent where a token proved who it was. */
  signature?: Uint8Array
  method: 'ed25519' | 'token'
  /** Section `identity`. */
  identity: Uint8Array
}

/** The record of a decision: with the statement and its signature, whoever reads the log can verify it himself. */
export function toApprovalRecord({ line, signature, method, identity }: DecisionMade): {
  draft: Draft
  sections: Sections
} {
  const { verdict, until, request } = parseApprovalStatement(line)
  const { id: approvalId, callId, server, digest, uses } = request
  const signed = signature === undefined ? '' : `,"signature":"${Buffer.from(signature).toString('base64')}"`
  return {
    draft: {
      kind: 'approval',
      server: { name: server },
      detail: { verdict, approvalId, callId, method, digest, until, uses },
    },
    // The very bytes that were signed.
    sections: { identity, input: Buffer.from(`{"statement":${Buffer.from(line)}${signed}}`) },
  }
}

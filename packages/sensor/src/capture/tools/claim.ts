import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { CaptureContext } from '../context.ts'
import { type Known, outline, outlineLeaf } from './known.ts'

const claims = new WeakMap<Known, { effect: EffectClass | undefined }>()

/**
 * The effect that a server claims for its tool (MCP, tool annotations): `readOnlyHint`, and where that is not given or false
 * `destructiveHint`. What it leaves out it does not claim, whatever the protocol's defaults. Read once per definition.
 */
export function claimOf(known: Known, digest: CaptureContext['digest']): EffectClass | undefined {
  const read = claims.get(known)
  if (read !== undefined) return read.effect
  const effect = readClaim(known, digest)
  claims.set(known, { effect })
  return effect
}

function readClaim({ held }: Known, digest: CaptureContext['digest']): EffectClass | undefined {
  if (held === undefined) return undefined
  const members = outline(held, digest)
  // At level metadata there is no text, and a member is known again by the digest of what it can say.
  const says = (hint: string, value: 'true' | 'false') => {
    const member = `annotations.${hint}`
    return members.get(member)?.digest === digest(outlineLeaf({ path: member, value, text: undefined }))
  }
  if (says('readOnlyHint', 'true')) return 'read'
  if (says('destructiveHint', 'true')) return 'destructive'
  return says('destructiveHint', 'false') ? 'write' : undefined
}

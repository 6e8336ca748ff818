import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import { assurances } from '@affidavit/evidence/record/kinds'
import { encodeResources, resourceTypes } from '@affidavit/evidence/record/resources-section'
import { riskLevels } from '@affidavit/evidence/record/risk'
import { z } from 'zod'
import type { PolicyRequest } from '../policy/decision-point.ts'

const name = z.string().min(1).max(256)
const actor = z.strictObject({
  id: name,
  assurance: z.enum(assurances),
  method: name.optional(),
  name: name.optional(),
  version: name.optional(),
  issuer: name.optional(),
  uid: z.int().min(0).optional(),
  attributes: z.record(z.string().min(1).max(64), name).optional(),
})

const requestSchema = z.strictObject({
  method: name.optional(),
  effect: z.enum(['read', 'write', 'destructive', 'external-send', 'unknown']).optional(),
  server: name,
  tool: name.optional(),
  resource: name.optional(),
  prompt: name.optional(),
  isListed: z.boolean().optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  agent: actor.optional(),
  workload: actor.optional(),
  user: actor.optional(),
  role: actor.optional(),
  initiator: actor.optional(),
  classification: z.strictObject({ level: name, tags: z.array(name).optional() }).optional(),
  accesses: z
    .array(z.strictObject({ type: z.enum(resourceTypes), name, dataTypes: z.array(name).optional() }))
    .optional(),
  time: z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)), 'expected a time such as 2026-11-20T11:00:00Z')
    .optional(),
  session: z.strictObject({ calls: z.int().min(0), denials: z.int().min(0) }).optional(),
  posture: z
    .strictObject({
      source: z.enum(['file', 'command', 'http']).default('file'),
      state: z.enum(['fresh', 'stale']).default('fresh'),
      ageMs: z.int().min(0).default(0),
      failure: name.optional(),
      signals: z.record(z.string(), z.unknown()),
    })
    .optional(),
  risk: z.strictObject({ level: z.enum(riskLevels), reasons: z.array(name).max(16).default([]) }).optional(),
})

/** A file of expectations. Its paths are relative to it. */
export const casesSchema = z.strictObject({
  policies: z.array(name).min(1),
  schema: name.optional(),
  onError: z.enum(['deny', 'permit']).optional(),
  cases: z
    .array(
      z.strictObject({
        name,
        request: requestSchema,
        expect: z.strictObject({
          decision: z.enum(['permit', 'deny']),
          determining: z.array(name).optional(),
          obligations: z.array(name).optional(),
          approval: z.boolean().optional(),
        }),
      }),
    )
    .min(1),
})

export type PolicyCase = z.infer<typeof casesSchema>['cases'][number]
type Asked = PolicyCase['request']

/** A Friday at noon, so that a case says what time it is only where that matters. */
const usualTime = '2026-11-20T12:00:00Z'
const methods = { tool: 'tools/call', resource: 'resources/read', prompt: 'prompts/get' } as const
const types = { tool: 'Tool', resource: 'Resource', prompt: 'Prompt' } as const

/** The request as capture would make it of a call like that. */
export function toPolicyRequest(asked: Asked): PolicyRequest {
  const part = (['tool', 'resource', 'prompt'] as const).find((each) => asked[each] !== undefined)
  const named = part === undefined ? undefined : asked[part]
  const { accesses = [], classification } = asked
  return {
    method: asked.method ?? (part === undefined ? 'tools/call' : methods[part]),
    isKnownMethod: true,
    effect: asked.effect ?? 'unknown',
    server: asked.server,
    target:
      part === undefined || named === undefined
        ? undefined
        : { type: types[part], name: named, isListed: asked.isListed ?? true },
    identity: encodeActors(asked),
    classification: { level: classification?.level ?? 'unclassified', tags: classification?.tags ?? [] },
    resources: encodeResources({
      resources: accesses.map(({ dataTypes = [], ...rest }) => ({ ...rest, dataTypes, source: 'test' })),
      omitted: 0,
    }),
    arguments: asked.arguments === undefined ? undefined : Buffer.from(JSON.stringify(asked.arguments)),
    timeMs: Date.parse(asked.time ?? usualTime),
    session: asked.session,
    posture: asked.posture,
    risk: asked.risk,
  }
}

function encodeActors({ agent, workload, user, role, initiator }: Asked): Uint8Array {
  const none = { absent: 'the case names none' }
  const toActor = (given: z.infer<typeof actor>) => {
    const { attributes, method = 'test', ...rest } = given
    const kept = Object.entries(rest).filter(([, value]) => value !== undefined)
    const more = Object.entries(attributes ?? {}).map(([key, value]) => ({ name: key, value }))
    return {
      id: given.id,
      assurance: given.assurance,
      ...Object.fromEntries(kept),
      method,
      source: 'test',
      ...(more.length === 0 ? {} : { attributes: more }),
    }
  }
  const orNone = (given: z.infer<typeof actor> | undefined) => (given === undefined ? none : toActor(given))
  return encodeIdentity({
    agent: orNone(agent),
    workload: orNone(workload),
    user: orNone(user),
    role: orNone(role),
    token: none,
    delegation: initiator === undefined ? [] : [toActor(initiator)],
  })
}

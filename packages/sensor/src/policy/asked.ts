import type { Effect, EffectClass, ExchangeKind } from '@affidavit/evidence/record/kinds'

/** Handshakes and lists show what there is and touch no data; what the server asks of the client is nobody's call. */
const askedKinds: ReadonlySet<ExchangeKind> = new Set(['call', 'read', 'prompt', 'task'])

/** Whether policies are asked about a request of the client's. */
export function isAsked(kind: ExchangeKind): boolean {
  return askedKinds.has(kind)
}

/** Whether a request has its arguments in a member of that name; of the others all of `params` are. */
export function hasArguments(method: string): boolean {
  return method === 'tools/call' || method === 'prompts/get'
}

const readingMethods = new Set(['resources/read', 'prompts/get', 'completion/complete', 'tasks/get', 'tasks/result'])

/** As the operator's catalogue has it; what a server says of its own tools is a claim, and decides nothing. */
export function effectFor(
  { effect, effectClass }: { effect: Effect; effectClass?: EffectClass },
  method: string,
): string {
  if (effectClass !== undefined) return effectClass
  return effect === 'unknown' && readingMethods.has(method) ? 'read' : effect
}

/** What a method names, and the member of `params` that has the name. */
export function targetPart(
  method: string,
): { type: 'Tool' | 'Resource' | 'Prompt'; member: 'name' | 'uri' } | undefined {
  if (method === 'tools/call') return { type: 'Tool', member: 'name' }
  if (method === 'prompts/get') return { type: 'Prompt', member: 'name' }
  return method.startsWith('resources/') ? { type: 'Resource', member: 'uri' } : undefined
}

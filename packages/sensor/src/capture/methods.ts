import type { ExchangeKind } from '@affidavit/evidence/record/kinds'

/** Requests of all protocol revisions, with the kind they are recorded as. */
const kindOfMethod = new Map<string, ExchangeKind>([
  ['initialize', 'session'],
  ['server/discover', 'session'],
  ['ping', 'session'],
  ['logging/setLevel', 'session'],
  ['subscriptions/listen', 'session'],
  ['tools/call', 'call'],
  ['tools/list', 'list'],
  ['resources/list', 'list'],
  ['resources/templates/list', 'list'],
  ['prompts/list', 'list'],
  ['roots/list', 'list'],
  ['tasks/list', 'list'],
  ['resources/read', 'read'],
  ['resources/subscribe', 'read'],
  ['resources/unsubscribe', 'read'],
  ['prompts/get', 'prompt'],
  ['completion/complete', 'prompt'],
  ['sampling/createMessage', 'sample'],
  ['elicitation/create', 'elicit'],
  ['tasks/get', 'task'],
  ['tasks/result', 'task'],
  ['tasks/update', 'task'],
  ['tasks/cancel', 'task'],
])

const notificationMethods = new Set([
  'notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/message',
  'notifications/resources/updated', 'notifications/resources/list_changed', 'notifications/tools/list_changed',
  'notifications/prompts/list_changed', 'notifications/roots/list_changed', 'notifications/tasks/status',
  'notifications/tasks', 'notifications/elicitation/complete', 'notifications/subscriptions/acknowledged',
]) // biome-ignore format: one list

/** A method that no revision defines is recorded as a call without a tool: it may do anything. */
export function kindOf(method: string): ExchangeKind {
  return kindOfMethod.get(method) ?? 'call'
}

/** Whether a revision of the protocol defines the method as a request. */
export function isRequestMethod(method: string): boolean {
  return kindOfMethod.has(method)
}

/** Whether a revision of the protocol defines the method. Other names were chosen by a client and appear as digests only. */
export function isProtocolMethod(method: string): boolean {
  return kindOfMethod.has(method) || notificationMethods.has(method)
}

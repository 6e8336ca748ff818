import { parseResources } from '@affidavit/evidence/record/resources-section'
import { type ArgumentProblem, type CedarValue, toArguments, toCedarValue } from './cedar-value.ts'
import { wellFormed } from './clip.ts'
import type { PolicyRequest, PostureSeen } from './decision-point.ts'
import { type Entity, type EntityUid, toPrincipal } from './principal.ts'

/** A request as Cedar takes it; the same object of each part wherever it is the same, so that it need not be built again. */
export interface CedarRequest {
  principal: EntityUid
  action: EntityUid
  resource: EntityUid
  entities: Entity[]
  context: Record<string, CedarValue>
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const argumentBytesMax = 4 * 1024 * 1024

/** `keys`: the members of the arguments that policies in question look at. */
export function toCedarRequest(
  request: PolicyRequest,
  keys: ReadonlySet<string> | 'all',
): { request: CedarRequest } | { problem: ArgumentProblem } {
  const asked = readArguments(request, keys)
  if ('problem' in asked) return asked
  const principal = toPrincipal(request.identity)
  const action = actionOf(request)
  const resource = resourceOf(request)
  const { uid, entities } = principal
  return {
    request: {
      principal: uid,
      action: action.uid,
      resource: resource.uid,
      entities: [...entities, action, resource],
      context: contextOf(request, asked.values),
    },
  }
}

function readArguments(request: PolicyRequest, keys: ReadonlySet<string> | 'all'): ReturnType<typeof toArguments> {
  if (keys !== 'all' && keys.size === 0) return { values: {} }
  if (request.argumentsMissing !== undefined) return { problem: 'arguments_too_large' }
  const json = request.arguments
  if (json === undefined) return { values: {} }
  return json.length > argumentBytesMax ? { problem: 'arguments_too_large' } : toArguments(json, keys)
}

/** `METHOD:EFFECT`, in two groups: the method, and the effect. Destruction and sending are writing, too. */
export function actionOf({ method, isKnownMethod, effect }: PolicyRequest): Entity {
  const named = isKnownMethod ? method : 'other'
  const isWriting = effect === 'destructive' || effect === 'external-send'
  const groups = [named, effect, ...(isWriting ? ['write'] : [])]
  return {
    uid: { type: 'Action', id: `${named}:${effect}` },
    attrs: {},
    parents: groups.map((id) => ({ type: 'Action', id })),
  }
}

/** `SERVER/NAME` of what is asked for, in its server; the server itself where nothing is named. */
export function resourceOf({ server, target, classification, resources }: PolicyRequest): Entity {
  const { level, tags } = classification
  const accessed = resources === undefined ? [] : parseResources(resources).resources
  const attrs = {
    server,
    classification: level,
    tags,
    dataTypes: [...new Set(accessed.flatMap(({ dataTypes }) => dataTypes))],
    accesses: accessed.map(({ type, name }) => wellFormed(`${type}:${name}`)),
  }
  const owner = { type: 'Server', id: server }
  if (target === undefined) return { uid: owner, attrs: { ...attrs, name: server }, parents: [] }
  const name = wellFormed(target.name)
  return {
    uid: { type: target.type, id: `${server}/${name}` },
    attrs: { ...attrs, name, isListed: target.isListed },
    parents: [owner],
  }
}

function contextOf(
  { method, isKnownMethod, effect, target, server, timeMs, session, posture, risk }: PolicyRequest,
  values: Record<string, CedarValue>,
): Record<string, CedarValue> {
  const time = new Date(timeMs)
  return {
    method: isKnownMethod ? method : 'other',
    effect,
    server,
    ...(target?.type === 'Tool' ? { tool: wellFormed(target.name) } : {}),
    arguments: values,
    time: {
      hour: time.getUTCHours(),
      minute: time.getUTCMinutes(),
      weekday: weekdays[time.getUTCDay()] ?? '',
      date: time.toISOString().slice(0, 10),
    },
    ...(session === undefined ? {} : { session: { calls: session.calls, denials: session.denials } }),
    ...(posture === undefined ? {} : { posture: postureOf(posture) }),
    ...(risk === undefined ? {} : { risk: { level: risk.level, reasons: [...risk.reasons] } }),
  }
}

const bySignals = new WeakMap<PostureSeen['signals'], CedarValue>()

/** A source answers now and then, and every call in between sees the same signals. */
function postureOf({ source, state, ageMs, failure, signals }: PostureSeen): CedarValue {
  const converted = bySignals.get(signals) ?? toCedarValue(signals) ?? {}
  bySignals.set(signals, converted)
  return { source, state, ageMs, ...(failure === undefined ? {} : { failure }), signals: converted }
}

import { watchFetch } from '../capture/fetch/connection.ts'
import { createFetchOrigins } from '../capture/fetch/origin.ts'
import { type FetchPlace, relayFetch, speaksMcp } from '../capture/fetch/relay.ts'
import { type Fetch, type FetchRequest, readRequest } from '../capture/fetch/request.ts'
import { guardRedactor } from '../capture/guard-redactor.ts'
import { Conversations } from '../capture/http/conversation.ts'
import { scanBytes } from '../capture/scan.ts'
import { parentCallHeader, parseParentCall } from '../identity/claims.ts'
import type { AuditOptions } from '../server/options.ts'
import type { OpenSensor, Sensor } from '../server/sensor.ts'
import { closeSensor, sensorFor } from '../server/sensors.ts'
import { warn } from '../server/warn.ts'

export type { AuditOptions } from '../server/options.ts'

export interface FetchOptions extends AuditOptions {
  /**
   * Id of the call in whose course a request is sent, for servers that call others: `() => audit.current()?.callId` of
   * auditServer. It is recorded, and sent on as a header field so that whoever records at the other end has it too.
   */
  parentCall?: () => string | undefined
}

export interface AuditedFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>
  /**
   * Ends the stream of records of everything with the same options in this process: open calls get their outcome, later
   * requests are rejected. A process that ends by itself needs it not.
   */
  close(): Promise<void>
}

/** As at the gateway: how long a result may come on a later stream, and a session be silent. */
const limits = { resumeGraceMs: 120_000, sessionIdleMs: 3_600_000 }

/**
 * A fetch that records the exchanges of MCP that go through it, for agents that call servers they do not own: a request is
 * sent when its record is durable, an answer or an event is let go when what came of it is. Everything else passes as it
 * is. One per server: `serverName` is the name of the server in the records. Throws TypeError for options that are none;
 * requests reject where the options name a file that cannot be used.
 */
export function auditFetch(fetchOn: Fetch, options: FetchOptions): AuditedFetch {
  watchFetch()
  const sensor = sensorFor(options, 'client')
  const onFault = () => warn('AFD_REPLY_LOST', 'a server could not be told that its request was not recorded')
  const fetch: Fetch = async (input, init) => {
    const parent = options.parentCall?.()
    const request = await readRequest({ fetchOn, onFault }, input, init)
    const scanned = request.body === undefined ? undefined : scanBytes(request.body)
    if (!speaksMcp(request, scanned)) return request.send()
    if (sensor.isClosed) throw new Error('affidavit: the stream of records was closed, so nothing is sent')
    nameParent(request, parent)
    return relayFetch(placeIn(sensor, await sensor.open()), request, scanned)
  }
  return Object.assign(fetch, { close: () => closeSensor(sensor) })
}

/** Where the request names a call already, that one stands. */
function nameParent({ headers, addHeader }: FetchRequest, callId: unknown): void {
  const parent = parseParentCall(callId)
  if (parent !== undefined && !headers.has(parentCallHeader)) addHeader(parentCallHeader, parent)
}

/** One for all that share a sensor: sessions span the requests of many callers. */
const places = new WeakMap<OpenSensor, FetchPlace>()

function placeIn(sensor: Sensor, open: OpenSensor): FetchPlace {
  const known = places.get(open)
  if (known !== undefined) return known
  const { digest, redactor } = open.context
  const { facts, originOf } = createFetchOrigins({ digest, redact: (text) => redactor.redactText(text).text })
  const context = { ...open.context, facts, redactor: guardRedactor(open.context) }
  const conversations = new Conversations(context, open.knowledge, limits)
  // It forgets its own idle conversations.
  sensor.add({ isIdle: false, flush: () => conversations.sweep(), close: () => conversations.finish() })
  const place = { context, conversations, knowledge: open.knowledge, originOf }
  places.set(open, place)
  return place
}

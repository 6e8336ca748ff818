import { attach } from '../capture/sdk/attach.ts'
import { watchConnections } from '../capture/sdk/incoming.ts'
import { parseTransport } from '../capture/sdk/transport.ts'
import type { AuditedCall } from './audited-call.ts'
import { connectionsOf } from './connections.ts'
import type { AuditOptions } from './options.ts'
import type { Sensor } from './sensor.ts'
import { closeSensor, sensorFor } from './sensors.ts'

export type { AuditedCall, TouchedResource } from './audited-call.ts'
export { callHeaders, callMeta, sqlComment } from './call-marks.ts'
export type { AuditOptions } from './options.ts'

/** McpServer or Server of @modelcontextprotocol/sdk 1.x or @modelcontextprotocol/server 2.x. */
export interface AuditableServer {
  connect(transport: never): Promise<void>
}

export interface Audit {
  /** The call that is served here: in a handler, and in whatever it calls or awaits. Undefined outside of calls. */
  current(): AuditedCall | undefined
  /**
   * Ends the stream of records of everything with the same options in this process: open calls get their outcome, later
   * ones are refused. For shutdowns by process.exit() or a signal; a process that ends by itself needs it not.
   */
  close(): Promise<void>
}

// When this is loaded, and not with the first audited server: one that is made for a request would miss that request's.
watchConnections()

/** Servers that are audited. */
const audits = new WeakMap<object, { audit: Audit; sensor: Sensor }>()

/**
 * Records every exchange of the server, whatever transport it is connected to: requests before they reach a handler,
 * results before they are sent. To be called before connect(), for what came earlier is not recorded, and for every server
 * where they are made per request. Throws TypeError for options or servers that are none; connect() rejects where the
 * options name a file that cannot be used.
 */
export function auditServer(server: AuditableServer, options: AuditOptions): Audit {
  const target = parseServer(server)
  const known = audits.get(target)
  if (known?.sensor.isClosed === false) return known.audit
  const sensor = sensorFor(options, 'server')
  const connections = connectionsOf(sensor)
  const connectOn = target.connect.bind(target)
  const capture = (value: unknown) => {
    const transport = parseTransport(value)
    const opened = sensor.open()
    attach(transport, (sendOn) => connections.open(opened, transport, sendOn))
    return opened
  }
  target.connect = async (value) => {
    const opened = capture(value)
    await Promise.all([connectOn(value), opened])
  }
  // Connected already: from here on it is recorded.
  if (target.transport !== undefined) void capture(target.transport)
  const audit = { current: connections.current, close: () => closeSensor(sensor) }
  audits.set(target, { audit, sensor })
  return audit
}

interface Connectable {
  connect(transport: unknown): Promise<void>
  readonly transport?: unknown
}

/** McpServer hands its transport to the Server inside, which some authors connect themselves. */
function parseServer(server: unknown): Connectable {
  const inner = isConnectable(server) && 'server' in server && isConnectable(server.server) ? server.server : server
  if (!isConnectable(inner)) throw new TypeError('affidavit: auditServer takes a server of an official MCP SDK')
  return inner
}

function isConnectable(value: unknown): value is Connectable {
  return typeof value === 'object' && value !== null && 'connect' in value && typeof value.connect === 'function'
}

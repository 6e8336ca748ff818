import { AsyncLocalStorage } from 'node:async_hooks'
import { Capture } from '../capture/capture.ts'
import { Connection, type Served } from '../capture/sdk/connection.ts'
import { createOrigins, type Origins } from '../capture/sdk/origin.ts'
import { kindOfTransport, type SdkTransport } from '../capture/sdk/transport.ts'
import { type AuditedCall, toAuditedCall } from './audited-call.ts'
import type { OpenSensor, Sensor } from './sensor.ts'

/** The connections of all servers that share a sensor. Servers that live for one request make thousands of them. */
export interface Connections {
  open(opened: Promise<OpenSensor>, transport: SdkTransport, sendOn: SdkTransport['send']): Connection
  /** The call that is served where it is asked. */
  current(): AuditedCall | undefined
}

const known = new WeakMap<Sensor, Connections>()

export function connectionsOf(sensor: Sensor): Connections {
  const connections = known.get(sensor) ?? createConnections(sensor)
  known.set(sensor, connections)
  return connections
}

function createConnections(sensor: Sensor): Connections {
  const served = new AsyncLocalStorage<Served>()
  return {
    open(opened, transport, sendOn) {
      const kind = kindOfTransport(transport)
      const ready = opened.then((open) => {
        const origins = originsOf(open)
        const context = { ...open.context, facts: origins.factsOf(kind) }
        return { context, capture: new Capture(context, open.knowledge), originOf: origins.originFor(transport, kind) }
      })
      const onUse = () => sensor.add(connection)
      const onEnd = () => sensor.remove(connection)
      const connection = new Connection({ transport, sendOn, served, ready, onUse, onEnd })
      return connection
    },
    current() {
      const at = served.getStore()
      return at === undefined ? undefined : toAuditedCall(at)
    },
  }
}

const knownOrigins = new WeakMap<OpenSensor, Origins>()

function originsOf(open: OpenSensor): Origins {
  const { digest, redactor } = open.context
  const origins = knownOrigins.get(open) ?? createOrigins({ digest, redact: (text) => redactor.redactText(text).text })
  knownOrigins.set(open, origins)
  return origins
}

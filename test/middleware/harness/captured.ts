import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type { Draft } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { AuditableServer } from '@affidavit/sensor/server'
import { Capture } from '../../../packages/sensor/src/capture/capture.ts'
import type { CaptureContext } from '../../../packages/sensor/src/capture/context.ts'
import { attach } from '../../../packages/sensor/src/capture/sdk/attach.ts'
import { Connection, type Served } from '../../../packages/sensor/src/capture/sdk/connection.ts'
import { createOrigins } from '../../../packages/sensor/src/capture/sdk/origin.ts'
import { kindOfTransport, parseTransport } from '../../../packages/sensor/src/capture/sdk/transport.ts'
import { createDigester } from '../../../packages/sensor/src/crypto/digester.ts'
import { createRedactor } from '../../../packages/sensor/src/redact/redactor.ts'

export interface CapturedRecord {
  draft: Draft
  sections: Sections
}

export const stageOf = (draft: Draft) => ('stage' in draft ? draft.stage : draft.kind)

class Refusal extends Error {
  readonly code = 'spool_io'
  readonly retry = true
}

/**
 * What auditServer does, with a recorder that keeps records in memory: `failing` names the stages that cannot be recorded,
 * `delayMs` how long each takes.
 */
export function captureInto(records: CapturedRecord[], faults: { failing?: Set<string>; delayMs?: () => number } = {}) {
  const correlationKey = new Uint8Array(32).fill(7)
  const digest = createDigester(correlationKey)
  const redactor = createRedactor({ correlationKey })
  const origins = createOrigins({ digest, redact: (text) => redactor.redactText(text).text })
  const emit: CaptureContext['emit'] = async (draft, sections) => {
    if (faults.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, faults.delayMs?.()))
    if (faults.failing?.has(stageOf(draft)) === true) throw new Refusal('no')
    records.push({ draft, sections })
    return { recorded: true, hash: createHash('sha256').update(String(records.length)).digest() }
  }
  return (server: AuditableServer) => {
    const target: { connect(transport: unknown): Promise<void> } = Reflect.get(server, 'server') ?? server
    const connectOn = target.connect.bind(target)
    target.connect = async (value) => {
      const transport = parseTransport(value)
      const kind = kindOfTransport(transport)
      const context: CaptureContext = {
        ...{ emit, redactor, digest, serverName: 'rich', level: 'arguments', vantage: 'server' },
        facts: origins.factsOf(kind),
        diagnose: () => undefined,
      }
      const ready = Promise.resolve({
        context,
        capture: new Capture(context),
        originOf: origins.originFor(transport, kind),
      })
      const served = new AsyncLocalStorage<Served>()
      attach(transport, (sendOn) => new Connection({ transport, sendOn, served, ready, onEnd: () => undefined }))
      await connectOn(value)
    }
  }
}

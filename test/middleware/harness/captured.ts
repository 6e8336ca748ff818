import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type { Draft } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { AuditableServer } from '@affidavit/sensor/server'
import { Capture } from '../../../packages/sensor/src/capture/capture.ts'
import type { CaptureContext } from '../../../packages/sensor/src/capture/context.ts'
import { createFetchOrigins } from '../../../packages/sensor/src/capture/fetch/origin.ts'
import { relayFetch, speaksMcp } from '../../../packages/sensor/src/capture/fetch/relay.ts'
import { type Fetch, readRequest } from '../../../packages/sensor/src/capture/fetch/request.ts'
import { Conversations } from '../../../packages/sensor/src/capture/http/conversation.ts'
import { ServerKnowledge } from '../../../packages/sensor/src/capture/knowledge.ts'
import { scanBytes } from '../../../packages/sensor/src/capture/scan.ts'
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

interface Faults {
  /** Stages that cannot be recorded. */
  failing?: Set<string>
  /** How long each record takes. */
  delayMs?: () => number
}

/** A recorder that keeps records in memory, and what else capture needs. */
function fakeContext(records: CapturedRecord[], faults: Faults) {
  const correlationKey = new Uint8Array(32).fill(7)
  const redactor = createRedactor({ correlationKey })
  const emit: CaptureContext['emit'] = async (draft, sections) => {
    if (faults.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, faults.delayMs?.()))
    if (faults.failing?.has(stageOf(draft)) === true) throw new Refusal('no')
    records.push({ draft, sections })
    return { recorded: true, hash: createHash('sha256').update(String(records.length)).digest() }
  }
  return {
    ...{ emit, redactor, digest: createDigester(correlationKey), serverName: 'rich', level: 'arguments' as const },
    diagnose: () => undefined,
    redact: (text: string) => redactor.redactText(text).text,
  }
}

/** What auditServer does, with that recorder. */
export function captureInto(records: CapturedRecord[], faults: Faults = {}) {
  const parts = fakeContext(records, faults)
  const origins = createOrigins(parts)
  return (server: AuditableServer) => {
    const target: { connect(transport: unknown): Promise<void> } = Reflect.get(server, 'server') ?? server
    const connectOn = target.connect.bind(target)
    target.connect = async (value) => {
      const transport = parseTransport(value)
      const kind = kindOfTransport(transport)
      const context: CaptureContext = { ...parts, vantage: 'server', facts: origins.factsOf(kind) }
      const ready = Promise.resolve({
        context,
        capture: new Capture(context),
        originOf: origins.originFor(transport, kind),
      })
      const served = new AsyncLocalStorage<Served>()
      attach(
        transport,
        (sendOn) =>
          new Connection({ transport, sendOn, served, ready, onUse: () => undefined, onEnd: () => undefined }),
      )
      await connectOn(value)
    }
  }
}

/** What auditFetch does, with that recorder. Results on later streams are waited for only shortly. */
export function captureFetch(records: CapturedRecord[], faults: Faults = {}): Fetch & { sweep(): Promise<void> } {
  const parts = fakeContext(records, faults)
  const { facts, originOf } = createFetchOrigins(parts)
  const context: CaptureContext = { ...parts, vantage: 'client', facts }
  const limits = { resumeGraceMs: 300, sessionIdleMs: 60_000 }
  const knowledge = new ServerKnowledge(context)
  const conversations = new Conversations(context, knowledge, limits)
  const audited: Fetch = async (input, init) => {
    const request = await readRequest({ fetchOn: fetch, onFault: () => undefined }, input, init)
    const scanned = request.body === undefined ? undefined : scanBytes(request.body)
    if (!speaksMcp(request, scanned)) return request.send()
    return relayFetch({ context, conversations, knowledge, originOf }, request, scanned)
  }
  return Object.assign(audited, { sweep: () => conversations.sweep() })
}

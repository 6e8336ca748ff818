import { createHash, createHmac } from 'node:crypto'
import { appendFileSync, existsSync } from 'node:fs'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { Draft } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import { startChild } from '../../../packages/sensor/src/capture/stdio/child.ts'
import { startGuardian } from '../../../packages/sensor/src/capture/stdio/guardian.ts'

/**
 * What `affidavit run` is, with a recorder that appends drafts to a file instead of the spool: WRAPPER_TRACE gets one line
 * per record; emits fail while the file WRAPPER_FAIL exists, for the stages it names; WRAPPER_DELAY_MS delays each.
 */
const { WRAPPER_TRACE: trace = '', WRAPPER_FAIL: fail = '', WRAPPER_DELAY_MS: delay = '0' } = process.env
const [command = '', ...args] = process.argv.slice(2)
const child = startChild(command, args)
process.stderr.on('error', () => undefined)
const guardian = child.process.pid === undefined ? undefined : startGuardian(child.process.pid, () => undefined)
// Stands for a machine on which loading takes its time.
await new Promise((resolve) => setTimeout(resolve, Number(process.env.WRAPPER_START_DELAY_MS ?? 0)))
const { encodeHeader } = await import('@affidavit/evidence/record/header-bytes')
const { parseDecision } = await import('@affidavit/evidence/record/decision-section')
const { parseEnvironment } = await import('@affidavit/evidence/record/environment-section')
const { parseIdentity } = await import('@affidavit/evidence/record/identity-section')
const { parseOutput } = await import('@affidavit/evidence/record/output-section')
const { parsePurpose } = await import('@affidavit/evidence/record/purpose-section')
const { superviseSession } = await import('../../../packages/sensor/src/cli/session.ts')
const { createRedactor } = await import('../../../packages/sensor/src/redact/redactor.ts')
const { readFileSync } = await import('node:fs')

const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const hmac = (key: Uint8Array, ...parts: Uint8Array[]) => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}
const key = new Uint8Array(32).fill(7)
const correlation = toCorrelationKey(sha256, key)
const key32 = Buffer.alloc(32).toString('base64')
const parsers: Record<string, (bytes: Uint8Array) => unknown> = {
  input: (bytes) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
  identity: parseIdentity,
  environment: parseEnvironment,
  output: parseOutput,
  purpose: parsePurpose,
  decision: parseDecision,
}
let seq = 0

class Refusal extends Error {
  readonly code = 'spool_io'
  readonly retry = true
}

function stageOf(draft: Draft): string {
  return 'stage' in draft ? draft.stage : draft.kind
}

/** Every record of every test is held to the format. */
function faultOf(draft: Draft, sections: Sections, place: number): string | undefined {
  try {
    const streamId = '01932c4e-0000-7000-8000-000000000000'
    const core = {
      v: 1,
      tenant: 'default',
      epoch: '2026q4',
      streamId,
      seq: place + 1,
      prev: key32,
      bootId: streamId,
    } as const
    encodeHeader({ time: '2026-11-20T11:03:40.123Z', monotonicUs: 1, ...core, sections: {}, ...draft })
    for (const [name, bytes] of Object.entries(sections)) parsers[name]?.(bytes)
  } catch (error) {
    return String(error)
  }
  return undefined
}

async function emit(draft: Draft, sections: Sections) {
  const place = seq++
  if (Number(delay) > 0) await new Promise((resolve) => setTimeout(resolve, Number(delay)))
  if (fail !== '' && existsSync(fail) && readFileSync(fail, 'utf8').includes(stageOf(draft))) throw new Refusal('no')
  const fault = faultOf(draft, sections, place)
  if (fault !== undefined) appendFileSync(trace, `${JSON.stringify({ invalid: fault })}\n`)
  const opened = Object.fromEntries(
    Object.entries(sections).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
  )
  appendFileSync(trace, `${JSON.stringify({ seq: place, draft, sections: opened })}\n`)
  return { recorded: true, hash: sha256(Buffer.from(String(place))) }
}

const level = process.env.WRAPPER_LEVEL
const code = await superviseSession({
  child,
  guardian,
  recorder: { emit, close: async (reason) => appendFileSync(trace, `${JSON.stringify({ closed: reason })}\n`) },
  redactor: createRedactor({ correlationKey: key }),
  digest: (value) => digestValue(hmac, correlation, value),
  level: level === 'metadata' || level === 'full' ? level : 'arguments',
  serverName: 'under-test',
})
process.exit(code)

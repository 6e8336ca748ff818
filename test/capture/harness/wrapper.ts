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
const guardian = child.process.pid === undefined ? undefined : startGuardian(child.process.pid, () => undefined)
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
let seq = 0

class Refusal extends Error {
  readonly code = 'spool_io'
  readonly retry = true
}

function stageOf(draft: Draft): string {
  return 'stage' in draft ? draft.stage : draft.kind
}

async function emit(draft: Draft, sections: Sections) {
  const place = seq++
  if (Number(delay) > 0) await new Promise((resolve) => setTimeout(resolve, Number(delay)))
  if (fail !== '' && existsSync(fail) && readFileSync(fail, 'utf8').includes(stageOf(draft))) throw new Refusal('no')
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

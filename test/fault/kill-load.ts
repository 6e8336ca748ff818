import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { Draft } from '@affidavit/evidence/record/header'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import { openHome } from '@affidavit/sensor/durable/home'
import { openStream } from '@affidavit/sensor/spool/stream'

/**
 * A sensor under load, to be killed: eight callers at once on one stream of the home in argv[2]. Prints every receipt the
 * moment it has it, `<stream> <seq> <hash>`, so that whoever reads knows what was acknowledged.
 */
const callers = 8
const zeros = Buffer.alloc(32).toString('base64')

function requested(callId: string): Draft {
  return {
    kind: 'call',
    stage: 'requested',
    vantage: 'gateway',
    direction: 'to-server',
    callId,
    sessionSource: 'absent',
    sessionReason: 'load',
    method: 'tools/call',
    requestIdDigest: `00000000:${zeros}`,
    server: { name: 'load' },
    tool: { name: 'echo', definition: zeros },
    effect: 'unknown',
    level: 'arguments',
    inputBytes: 12,
    classification: { level: 'unclassified', tags: [] },
    decision: { disposition: 'undecided', mode: 'observe' },
  }
}

const home = await openHome(process.argv[2] ?? '')
const stream = await openStream({ home, software: 'load/1.0.0' })

async function record(draft: Draft, section: 'input' | 'output'): Promise<string> {
  const { seq, hash } = await stream.append(draft, { [section]: Buffer.from(`{"at":"${draft.kind}"}`) })
  const text = Buffer.from(hash).toString('base64')
  writeSync(1, `${stream.streamId} ${seq} ${text}\n`)
  return text
}

async function call(): Promise<void> {
  const callId = formatUuidV7(Date.now(), randomBytes(16))
  const requestedHash = await record(requested(callId), 'input')
  // The server takes its time, so that kills meet calls that are under way.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
  const outcome = { kind: 'call', stage: 'completed', callId, requestedHash, outcome: 'success' } as const
  await record({ ...outcome, responseBytes: 2, latencyUs: 1 }, 'output')
}

await Promise.all(
  Array.from({ length: callers }, async () => {
    for (;;) await call()
  }),
)

import { join } from 'node:path'
import type { StreamHead } from '@affidavit/evidence/record/header'
import { type FileLayer, toSystemCode } from '../durable/layer.ts'
import { createOnce, replace } from '../durable/write.ts'

/**
 * `spool/streams/<sensorId>-<counter>.json`: the counter is taken by this stream. Together they say which streams there
 * must be and how far each came, so that deleting a whole segment leaves a trace. Not signed: whoever can write the folder
 * can forge them; the counters inside the signed opening records are what an outsider relies on.
 */
export interface StreamClaim {
  v: 1
  sensorId: string
  counter: number
  streamId: string
  /** As far as it was known when the claim was last written; absent until the opening record is durable. */
  head?: StreamHead
  /** `closed`: head is final. `abandoned`: a write or sync failed, nothing follows; its process may live on. */
  ended?: 'closed' | 'abandoned'
}

const namePattern = /^([0-9a-f]{16})-(\d{10})\.json$/

const pathOf = (directory: string, { sensorId, counter }: { sensorId: string; counter: number }) =>
  join(directory, `${sensorId}-${String(counter).padStart(10, '0')}.json`)

/** One spelling per claim, so that a reader can tell every changed byte. */
function encode({ v, sensorId, counter, streamId, head, ended }: StreamClaim): Uint8Array {
  const known = head === undefined ? undefined : { streamId: head.streamId, seq: head.seq, hash: head.hash }
  return Buffer.from(`${JSON.stringify({ v, sensorId, counter, streamId, head: known, ended })}\n`)
}

/** Every claim in the folder that can be read, in the order of sensor and counter. Malformed ones are listed as names. */
export async function listClaims(
  layer: FileLayer,
  directory: string,
): Promise<{ claims: StreamClaim[]; malformed: string[] }> {
  const claims: StreamClaim[] = []
  const malformed: string[] = []
  for (const name of (await layer.list(directory)).sort()) {
    if (!namePattern.test(name)) continue
    const bytes = await layer.readFile(join(directory, name))
    const claim = bytes === undefined ? undefined : parseClaim(name, bytes)
    if (claim !== undefined) claims.push(claim)
    else malformed.push(name)
  }
  return { claims, malformed }
}

async function readClaim(layer: FileLayer, directory: string, of: { sensorId: string; counter: number }) {
  const path = pathOf(directory, of)
  const bytes = await layer.readFile(path)
  return bytes === undefined ? undefined : parseClaim(path, bytes)
}

/** Puts the claim's new state in place, durably. */
export async function writeClaim(layer: FileLayer, directory: string, claim: StreamClaim): Promise<void> {
  await replace(layer, pathOf(directory, claim), encode(claim))
}

/**
 * Like writeClaim where it can be done. A claim that stays behind weakens what can be said about a deleted segment and
 * costs no record, so a full disk must not turn it into a failure of the stream.
 */
export async function tryWriteClaim(layer: FileLayer, directory: string, claim: StreamClaim): Promise<void> {
  try {
    await writeClaim(layer, directory, claim)
  } catch (error) {
    if (toSystemCode(error) === undefined) throw error
  }
}

/**
 * Takes the sensor's next counter for the stream; several processes may try at once. Durable when it resolves. A crash
 * right after leaves a counter whose stream never became durable: its successor names no previous head.
 */
export async function claimCounter(
  layer: FileLayer,
  directory: string,
  of: { sensorId: string; streamId: string },
): Promise<{ claim: StreamClaim; previous: StreamClaim | undefined }> {
  let counter = 0
  for (const name of await layer.list(directory)) {
    const [, sensorId, digits] = namePattern.exec(name) ?? []
    if (sensorId === of.sensorId) counter = Math.max(counter, Number(digits) + 1)
  }
  for (;;) {
    const claim: StreamClaim = { v: 1, ...of, counter }
    if ((await createOnce(layer, pathOf(directory, claim), encode(claim))) === 'created') {
      const previous = counter === 0 ? undefined : await readClaim(layer, directory, { ...of, counter: counter - 1 })
      return { claim, previous }
    }
    counter += 1
  }
}

function parseClaim(path: string, bytes: Uint8Array): StreamClaim | undefined {
  const [, sensorId, digits] = namePattern.exec(path.slice(-32)) ?? []
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof value !== 'object' || value === null || sensorId === undefined) return undefined
  const { v, streamId, counter, head, ended } = value as Record<string, unknown>
  if (v !== 1 || typeof streamId !== 'string' || counter !== Number(digits)) return undefined
  if (ended !== undefined && ended !== 'closed' && ended !== 'abandoned') return undefined
  const known = head === undefined ? undefined : parseHead(head)
  if (head !== undefined && known?.streamId !== streamId) return undefined
  const claim: StreamClaim = { v, sensorId, counter: Number(digits), streamId }
  if (known !== undefined) claim.head = known
  if (ended !== undefined) claim.ended = ended
  return Buffer.compare(encode(claim), bytes) === 0 ? claim : undefined
}

function parseHead(value: unknown): StreamHead | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { streamId, seq, hash } = value as Record<string, unknown>
  if (typeof streamId !== 'string' || typeof seq !== 'number' || typeof hash !== 'string') return undefined
  return Number.isSafeInteger(seq) && seq >= 0 && /^[A-Za-z0-9+/]{43}=$/.test(hash)
    ? { streamId, seq, hash }
    : undefined
}

import type { KeyObject } from 'node:crypto'
import { signEd25519, verifyEd25519 } from '../crypto/node.ts'
import type { ProcessRef } from '../durable/process.ts'

/**
 * First frame of every segment: who writes it, and what opens its bodies. Signed by the sensor, because the frame's CRC
 * finds accidents only. Payload: signature (64 bytes), JSON.
 */
export interface Preamble {
  v: 1
  streamId: string
  /** Number of the segment within the stream, from 1. */
  segment: number
  sensorId: string
  /** Raw Ed25519 public key, 32 bytes. */
  sensorKey: Uint8Array
  /** Key id of the collector's X25519 key, and the stream secret sealed to it (crypto/seal-box). */
  collectorKeyId: string
  sealedSecret: Uint8Array
  process: ProcessRef
}

const signatureBytes = 64
const domain = new TextEncoder().encode('affidavit/v1 preamble\n')
const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

export function encodePreamble(preamble: Preamble, privateKey: KeyObject): Uint8Array {
  const { v, streamId, segment, sensorId, collectorKeyId, process } = preamble
  const sensorKey = toBase64(preamble.sensorKey)
  const sealedSecret = toBase64(preamble.sealedSecret)
  const json = Buffer.from(
    JSON.stringify({ v, streamId, segment, sensorId, sensorKey, collectorKeyId, sealedSecret, process }),
  )
  const signature = signEd25519(privateKey, Buffer.concat([domain, json]))
  return new Uint8Array(Buffer.concat([signature, json]))
}

/** undefined where it is not one, or where the key it names did not sign it. Whether that key is known is the caller's to ask. */
export function decodePreamble(payload: Uint8Array): Preamble | undefined {
  const json = payload.subarray(signatureBytes)
  const preamble = parsePreamble(json)
  if (preamble === undefined) return undefined
  const signed = verifyEd25519(preamble.sensorKey, Buffer.concat([domain, json]), payload.subarray(0, signatureBytes))
  return signed ? preamble : undefined
}

function parsePreamble(json: Uint8Array): Preamble | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(json).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { v, streamId, segment, sensorId, sensorKey, collectorKeyId, sealedSecret, process } = value as Record<
    string,
    unknown
  >
  const writer = parseProcess(process)
  if (v !== 1 || typeof streamId !== 'string' || typeof segment !== 'number' || writer === undefined) return undefined
  if (typeof sensorId !== 'string' || typeof sensorKey !== 'string') return undefined
  if (typeof collectorKeyId !== 'string' || typeof sealedSecret !== 'string') return undefined
  return {
    v,
    streamId,
    segment,
    sensorId,
    sensorKey: new Uint8Array(Buffer.from(sensorKey, 'base64')),
    collectorKeyId,
    sealedSecret: new Uint8Array(Buffer.from(sealedSecret, 'base64')),
    process: writer,
  }
}

function parseProcess(value: unknown): ProcessRef | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { pid, startTime, bootId, pidNamespace } = value as Record<string, unknown>
  if (typeof pid !== 'number' || typeof startTime !== 'string') return undefined
  if (typeof bootId !== 'string' || typeof pidNamespace !== 'string') return undefined
  return { pid, startTime, bootId, pidNamespace }
}

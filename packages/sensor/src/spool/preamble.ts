import type { ProcessRef } from '../durable/process.ts'

/** First frame of every segment, signed by the sensor: who writes it, and what opens its bodies. */
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

import { fromBase64, toBase64 } from '../log/base64.ts'
import type { VerifyEd25519 } from '../record/crypto.ts'
import { encodeCommitMessage } from '../record/hash.ts'
import type { ProblemSink } from './problem.ts'
import type { StreamState, Streams } from './streams.ts'

const ascii = new TextDecoder('latin1')

export interface SignatureCheck {
  readonly verifyEd25519: VerifyEd25519
  readonly problems: ProblemSink
  /** Raw sensor keys the verifier trusts, base64. Undefined: each stream's own genesis is believed, and the verdict says so. */
  readonly sensorKeys: ReadonlySet<string> | undefined
}

/** The last signature of a stream covers all before it through the chain, so one per stream is checked. */
export async function verifySignatures(streams: Streams, check: SignatureCheck): Promise<void> {
  for (const state of streams.byId.values()) await verifySignature(state, check)
}

async function verifySignature(state: StreamState, check: SignatureCheck): Promise<void> {
  const { streamId, sensorKey, signed, lastIndex } = state
  const { problems } = check
  const place = { streamId, seq: state.seq, ...(lastIndex === undefined ? {} : { index: lastIndex }) }
  // The epoch record alone is vouched for by the log's own signature: no sensor wrote it.
  if (sensorKey === undefined) return
  if (check.sensorKeys !== undefined && !check.sensorKeys.has(sensorKey))
    problems.add('sensor_unknown', place, `stream ${streamId} is signed by a sensor that is not trusted here`)
  if (signed === undefined || signed.seq !== state.seq) {
    const last = signed === undefined ? 'none of it is' : `only up to record ${signed.seq}`
    problems.add('tail_unsigned', place, `stream ${streamId} is not signed by its sensor to its end: ${last}`)
  }
  if (signed === undefined) return
  const message = encodeCommitMessage({ streamId, seq: signed.seq, hash: toBase64(signed.hash) })
  if (!(await check.verifyEd25519(fromBase64(sensorKey), message, fromBase64(ascii.decode(signed.signature)))))
    problems.add('signature_wrong', { ...place, seq: signed.seq }, `sensor signature of stream ${streamId} is wrong`)
}

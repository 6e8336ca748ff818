import type { Header, StreamHeader } from '@affidavit/evidence/record/header'
import type { StreamState } from '../store/contract.ts'
import type { AdmissionRules } from './admit.ts'
import { Refused } from './error.ts'

/** The stream after one more record. Throws Refused for what may not stand at this place of this stream. */
export async function applyRecord(
  rules: AdmissionRules,
  before: StreamState,
  header: Header,
  hash: Uint8Array,
): Promise<StreamState> {
  const { seq } = header
  const after = { ...before, nextSeq: seq + 1, headHash: hash }
  if (seq === 0) return open(rules, after, header)
  if (before.standing === 'closed') throw new Refused('stream_ended', seq, 'a record behind the closing one')
  if (header.kind === 'epoch') throw reserved(header)
  return header.kind === 'stream' ? applyEvent(after, header) : after
}

function applyEvent(after: StreamState, header: StreamHeader): StreamState {
  switch (header.detail.event) {
    case 'opened':
      throw new Refused('bad_opening', header.seq, 'a second opening record')
    case 'closed':
      return { ...after, standing: 'closed' }
    case 'recovered':
      if (!after.own) throw reserved(header)
      return after
  }
}

function reserved(header: Header): Refused {
  return new Refused('kind_reserved', header.seq, `only the collector writes such a record (${header.kind})`)
}

async function open(rules: AdmissionRules, after: StreamState, header: Header): Promise<StreamState> {
  const bad = (why: string) => new Refused('bad_opening', 0, why)
  if (header.kind !== 'stream' || header.detail.event !== 'opened') throw bad('a stream begins with its opening record')
  const { sensorId, counter } = header.detail
  const sensorKey = new Uint8Array(Buffer.from(header.detail.sensorKey, 'base64'))
  if (Buffer.from(rules.sha256(sensorKey)).toString('hex').slice(0, 16) !== sensorId)
    throw bad('sensorId is not the hash of sensorKey')
  if (!rules.isEnrolled(sensorKey)) throw new Refused('unknown_sensor', 0, `sensor ${sensorId} is not enrolled here`)
  const other = await rules.findByCounter(sensorId, counter)
  if (other !== undefined && other !== header.streamId)
    throw new Refused('equivocation', 0, `stream ${other} of sensor ${sensorId} has number ${counter} already`)
  return { ...after, opening: { sensorId, sensorKey, counter, bootId: header.bootId, time: header.time } }
}

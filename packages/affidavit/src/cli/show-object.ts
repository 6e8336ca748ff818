import type { FetchedRecord } from '../query/fetch.ts'
import { toCallObject } from './call-lines.ts'
import type { ProofResult, Shown } from './show.ts'

/** `show --json`: one object; sections as JSON values where they are JSON, hashes in base64. */
export function toShowObject({ call, group, flows, records, keys }: Shown) {
  const [first] = records
  const id = call?.call.callId ?? `leaf:${first?.record.leaf}`
  return {
    ...(call === undefined ? { id } : toCallObject(call)),
    ...(group === undefined ? {} : { group }),
    ...(flows === undefined ? {} : { values: flows }),
    records: records.map(({ record, proof }) => ({ ...toRecordObject(record), proof: toProofObject(proof) })),
    keys: { source: keys.source, names: keys.names },
  }
}

function toRecordObject({ leaf, header, envelope, body, sections }: FetchedRecord) {
  const opened = Object.entries(sections).map(([name, bytes]) => [name, toValue(name, bytes)])
  return { leaf, header, envelope, body, sections: Object.fromEntries(opened) }
}

/** `input` stays text: parsing would round its numbers and drop duplicate keys. The others are canonical JSON of ours. */
function toValue(name: string, bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8')
  if (name === 'input') return text
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function toProofObject(result: ProofResult) {
  if ('failure' in result) return { verified: false, failure: result.failure }
  const { proof } = result
  return {
    verified: true,
    leafHash: toBase64(proof.leafHash),
    inclusion: proof.hashes.map(toBase64),
    checkpoint: Buffer.from(proof.note).toString('utf8'),
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

import { existsSync, readdirSync } from 'node:fs'
import type { Header } from '@affidavit/evidence/record/header'
import type { SectionName } from '@affidavit/evidence/record/kinds'
import { decodeBody, deriveRecordKeys, deriveRecordSecret } from '@affidavit/evidence/record/sections'
import { sealing } from '@affidavit/sensor/crypto/node'
import { openX25519 } from '@affidavit/sensor/crypto/seal-box'
import { openHome } from '@affidavit/sensor/durable/home'
import { type ReadOptions, readSegments } from '@affidavit/sensor/spool/read'
import { toSegmentName } from '@affidavit/sensor/spool/segment-name'

/** A record as it stands in the spool of a home, its sections opened and parsed. */
export interface SpooledRecord {
  header: Header
  // biome-ignore lint/suspicious/noExplicitAny: whatever the section holds
  sections: Partial<Record<SectionName, any>>
}

/** Everything that is durable in the home's spool at this moment, stream by stream in the order of their ids. */
export async function readSpool(dir: string, state: ReadOptions['state'] = 'live'): Promise<SpooledRecord[]> {
  const home = await openHome(dir)
  const { privateKey } = await home.collectorKey()
  const directory = home.paths.spool
  const names = existsSync(directory) ? readdirSync(directory).map(toSegmentName) : []
  const streams = [...new Set(names.flatMap((name) => (name === undefined ? [] : [name.streamId])))].sort()
  const records: SpooledRecord[] = []
  for (const streamId of streams) {
    let secret = new Uint8Array(0)
    for await (const item of readSegments({ layer: home.layer, directory, streamId, state })) {
      if (item.type === 'preamble') secret = new Uint8Array(openX25519(privateKey, item.preamble.sealedSecret))
      if (item.type !== 'commit') continue
      for (const { header, body } of item.records) records.push({ header, sections: open(secret, header.seq, body) })
    }
  }
  return records
}

function open(streamSecret: Uint8Array, seq: number, body: Uint8Array): SpooledRecord['sections'] {
  if (body.length === 0) return {}
  const { bodyKey } = deriveRecordKeys(sealing, deriveRecordSecret(sealing, streamSecret, seq))
  const sections = decodeBody(sealing.open(bodyKey, body))
  return Object.fromEntries(
    Object.entries(sections).map(([name, bytes]) => [name, JSON.parse(Buffer.from(bytes).toString())]),
  )
}

type Requested = Extract<Header, { stage: 'requested' }>
type Completed = Extract<Header, { stage: 'completed' }>

/** One call: its two records. */
export interface SpooledCall {
  requested: Requested
  input: unknown
  sections: SpooledRecord['sections']
  completed: Completed | undefined
  completedSections: SpooledRecord['sections']
}

/** Joins records by callId, in the order the calls were requested. */
export function toCalls(records: readonly SpooledRecord[]): SpooledCall[] {
  return records.flatMap(({ header, sections }) => {
    if (!('stage' in header) || header.stage !== 'requested') return []
    const other = records.find(
      (record): record is SpooledRecord & { header: Completed } =>
        'stage' in record.header && record.header.stage === 'completed' && record.header.callId === header.callId,
    )
    return [
      {
        requested: header,
        input: sections.input,
        sections,
        completed: other?.header,
        completedSections: other?.sections ?? {},
      },
    ]
  })
}

export async function readCalls(dir: string): Promise<SpooledCall[]> {
  return toCalls(await readSpool(dir))
}

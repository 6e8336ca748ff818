import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Header } from '@affidavit/evidence/record/header'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { readSegments } from '@affidavit/sensor/spool/read'

/** Every record of every closed stream in a home's spool. */
export async function headersIn(home: string): Promise<Header[]> {
  const directory = join(home, 'spool')
  const streams = readdirSync(directory).flatMap((file) => (file.endsWith('.seg') ? [file.slice(0, 36)] : []))
  const headers: Header[] = []
  for (const streamId of new Set(streams.sort())) {
    for await (const item of readSegments({ layer: systemLayer, directory, streamId, state: 'closed' }))
      if (item.type === 'commit') headers.push(...item.records.map(({ header }) => header))
  }
  return headers
}

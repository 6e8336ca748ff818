import { createHash } from 'node:crypto'
import type { Draft } from '@affidavit/evidence/record/header'
import type { Effect } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { FileLayer } from '../../durable/layer.ts'
import { type ReadOptions, readSegments, type SegmentItem, type SegmentRecord } from '../read.ts'
import { toSegmentName } from '../segment-name.ts'

const keyed = `01234567:${createHash('sha256').update('request').digest('base64')}`

export const callId = (n: number) => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

export function makeRequested(n: number, effect: Effect = 'unknown'): Draft {
  return {
    kind: 'call',
    stage: 'requested',
    vantage: 'gateway',
    direction: 'to-server',
    callId: callId(n),
    sessionSource: 'absent',
    sessionReason: 'none was declared',
    method: 'tools/call',
    requestIdDigest: keyed,
    server: { name: 'files' },
    tool: { nameDigest: keyed, definition: 'unlisted' },
    effect,
    level: 'arguments',
    inputBytes: 120,
    classification: { level: 'unclassified', tags: [] },
    decision: { disposition: 'undecided', mode: 'observe' },
  }
}

export function makeCompleted(n: number, requestedHash: Uint8Array): Draft {
  return {
    kind: 'call',
    stage: 'completed',
    callId: callId(n),
    requestedHash: Buffer.from(requestedHash).toString('base64'),
    outcome: 'success',
    responseBytes: 80,
    latencyUs: 900,
  }
}

export const makeNotify = (): Draft => ({
  kind: 'notify',
  detail: { direction: 'to-client', method: 'notifications/progress', count: 1, bytes: 60 },
})

export const makeSections = (bytes = 300): Sections => ({
  input: Buffer.from(JSON.stringify({ path: '/srv/report.txt', text: 'a'.repeat(bytes) })),
  environment: Buffer.from('{"pid":1}'),
})

/** Everything that a strict reader finds of a stream. */
export async function readAll(options: ReadOptions) {
  const items: SegmentItem[] = []
  for await (const item of readSegments(options)) items.push(item)
  const records: SegmentRecord[] = items.flatMap((item) => (item.type === 'commit' ? item.records : []))
  const end = items.at(-1)
  if (end?.type !== 'end') throw new Error('the reader did not end with its last item')
  return { items, records, end, commits: items.filter((item) => item.type === 'commit').length }
}

/** Ids of the streams that have a segment in the folder, oldest first. */
export async function listStreams(layer: FileLayer, directory: string): Promise<string[]> {
  const ids = (await layer.list(directory)).flatMap((name) => toSegmentName(name)?.streamId ?? [])
  return [...new Set(ids)].sort()
}

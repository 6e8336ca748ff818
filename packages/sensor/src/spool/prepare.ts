import { hashHeader } from '@affidavit/evidence/record/hash'
import type { Draft, Hash, Header, Timestamp, Uuid } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { type SectionName, sectionNames } from '@affidavit/evidence/record/kinds'
import {
  bodyLength,
  commitSection,
  deriveRecordKeys,
  deriveRecordSecret,
  encodeBody,
  type RecordKeys,
  type Sections,
} from '@affidavit/evidence/record/sections'
import { sealInPlace, sealing, sha256Text, tagBytes } from '../crypto/node.ts'
import { commitFrameBytes, recordOverheadBytes, writeRecordFrame } from './frame.ts'

/** What every record of one stream shares. */
export interface StreamFrom {
  tenant: string
  epoch: string
  streamId: Uuid
  bootId: string
  /** 32 bytes; known to this process and, sealed, to the collector. */
  secret: Uint8Array
}

/** Where in the stream the record would stand. */
export interface Place {
  seq: number
  prev: Hash | undefined
}

export interface PreparedRecord {
  /** Header hash. */
  hash: Hash
  /** Bytes it takes in the segment, a commit of its own included. */
  bytes: number
  frameBytes: number
  /** Seals the body and writes the frame. Once, and only for the record that takes this place: its keys seal once. */
  write(frame: Uint8Array): void
}

const nothing = new Uint8Array(0)

interface Clock {
  time: Timestamp
  monotonicUs: number
}

/** Wall and monotonic clock of now. */
function readClock(): Clock {
  const [seconds, nanoseconds] = process.hrtime()
  return { time: new Date().toISOString(), monotonicUs: seconds * 1_000_000 + Math.floor(nanoseconds / 1000) }
}

/** Makes a record of a draft, all but sealed. Throws RecordError where the draft makes no valid header. */
export function prepareRecord(from: StreamFrom, place: Place, draft: Draft, sections: Sections): PreparedRecord {
  const present = sectionNames.filter((name) => sections[name] !== undefined)
  const keys = keysFor(from, place, present)
  const commitments: Partial<Record<SectionName, Hash>> = {}
  if (keys !== undefined)
    for (const name of present)
      commitments[name] = commitSection(sha256Text, name, keys.saltOf(name), sections[name] ?? nothing)
  const header = encodeHeader(toHeader(from, place, draft, commitments))
  const bodyBytes = keys === undefined ? 0 : bodyLength(sections) + tagBytes
  const frameBytes = recordOverheadBytes + header.length + bodyBytes
  return {
    hash: hashHeader(sha256Text, header),
    bytes: frameBytes + commitFrameBytes,
    frameBytes,
    write: (frame) =>
      writeRecordFrame(frame, header, (body) => {
        if (keys === undefined) return
        encodeBody(sections, body)
        sealInPlace(keys.bodyKey, body)
      }),
  }
}

/** Undefined where there is nothing to seal. */
function keysFor({ secret }: StreamFrom, { seq }: Place, present: readonly SectionName[]): RecordKeys | undefined {
  const last = present.at(-1)
  if (last === undefined) return undefined
  return deriveRecordKeys(sealing, deriveRecordSecret(sealing, secret, seq), sectionNames.indexOf(last) + 1)
}

function toHeader(
  { tenant, epoch, streamId, bootId }: StreamFrom,
  { seq, prev }: Place,
  draft: Draft,
  sections: Partial<Record<SectionName, Hash>>,
): Header {
  const clock = draft.time === undefined || draft.monotonicUs === undefined ? readClock() : undefined
  const core = {
    v: 1 as const,
    tenant,
    epoch,
    streamId,
    seq,
    bootId,
    time: draft.time ?? clock?.time ?? '',
    monotonicUs: draft.monotonicUs ?? clock?.monotonicUs ?? 0,
    sections,
  }
  return prev === undefined ? { ...draft, ...core } : { ...draft, ...core, prev }
}

import type { Draft } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { PreparedRecord } from './prepare.ts'
import type { Receipt } from './stream.ts'

/** A record that was offered and has no room yet. */
export interface Offer {
  draft: Draft
  sections: Sections
  bytes: number
  resolve: (receipt: Receipt) => void
  reject: (error: unknown) => void
}

/** A record that has its place in the stream and waits for its commit. */
export interface Queued {
  record: PreparedRecord
  seq: number
  resolve: (receipt: Receipt) => void
  reject: (error: unknown) => void
}

import { randomFillSync } from 'node:crypto'
import type { Timestamp, Uuid } from '@affidavit/evidence/record/header'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'

/** One moment on both clocks: the wall's for people, the monotonic one for intervals. */
export interface Moment {
  time: Timestamp
  monotonicUs: number
}

/** `monotonicUs` counts microseconds of the machine's monotonic clock and compares within one boot. */
export function readClock(): Moment {
  return { time: formatTimestamp(Date.now()), monotonicUs: Number(process.hrtime.bigint() / 1000n) }
}

const idBytes = 16
const pool = new Uint8Array(idBytes * 256)
let used = pool.length

/** A new UUIDv7. Random bytes are drawn for 256 ids at a time: one call of the generator costs as much as filling them. */
export function makeId(): Uuid {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += idBytes
  return formatUuidV7(Date.now(), pool.subarray(used - idBytes, used))
}

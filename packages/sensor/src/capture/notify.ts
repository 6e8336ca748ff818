import type { Draft, KeyedDigest, NotifyDetail, ServerRef } from '@affidavit/evidence/record/header'
import type { Direction } from '@affidavit/evidence/record/kinds'
import { isProtocolMethod } from './methods.ts'

const methodsMax = 256

export type NotifyDraft = Extract<Draft, { kind: 'notify' }>

/**
 * Counts notifications per method and direction between two flushes: 100,000 progress messages are one record. Methods
 * that no revision defines count by their digest; beyond 256 of them in one interval they count as one.
 */
export class NotifyTally {
  readonly #digest: (method: string) => KeyedDigest
  #tallies = new Map<string, NotifyDetail>()

  constructor(digest: (method: string) => KeyedDigest) {
    this.#digest = digest
  }

  add(direction: Direction, method: string, bytes: number): void {
    const key = this.#tallies.size < methodsMax || isProtocolMethod(method) ? method : ''
    const place = `${direction} ${key}`
    let tally = this.#tallies.get(place)
    if (tally === undefined) {
      const name = isProtocolMethod(key) ? { method: key } : { methodDigest: this.#digest(key) }
      tally = { direction, ...name, count: 0, bytes: 0 }
      this.#tallies.set(place, tally)
    }
    tally.count++
    tally.bytes += bytes
  }

  /** Drafts for everything counted since the last call. */
  take(server: ServerRef): NotifyDraft[] {
    const tallies = [...this.#tallies.values()]
    this.#tallies = new Map()
    return tallies.map((detail) => ({ kind: 'notify' as const, server, detail }))
  }

  /** Counts a draft again that could not be written. */
  putBack({ detail }: NotifyDraft): void {
    const place = `${detail.direction} ${detail.method ?? detail.methodDigest ?? ''}`
    const tally = this.#tallies.get(place)
    if (tally === undefined) this.#tallies.set(place, detail)
    else {
      tally.count += detail.count
      tally.bytes += detail.bytes
    }
  }
}

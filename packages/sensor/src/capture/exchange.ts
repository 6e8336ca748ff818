import type { Uuid } from '@affidavit/evidence/record/header'
import type { Direction, ExchangeKind } from '@affidavit/evidence/record/kinds'
import type { Moment } from './clock.ts'
import type { EmitReceipt } from './context.ts'

/** A request that has been taken up and not been answered. */
export interface Exchange {
  direction: Direction
  /** Key of its id (message.ts idKey). */
  key: string
  method: string
  kind: ExchangeKind
  callId: Uuid
  callGroupId: Uuid | undefined
  arrived: Moment
  /** For lists: whether the request asked for the first page. */
  isFirstPage: boolean
  /** notifications/cancelled named it. A response that still comes keeps its own outcome. */
  isCancelled: boolean
  /** Of its `requested`; undefined until that is durable. */
  receipt: EmitReceipt | undefined
}

/** At more open calls than this per direction, new ones are refused. */
export const inFlightMax = 65_536

/** Open exchanges by direction and typed id. Equal ids in flight are a violation, and are answered in order. */
export class InFlight {
  readonly #open = new Map<string, Exchange[]>()
  #count = 0

  isFull(): boolean {
    return this.#count >= inFlightMax
  }

  has(direction: Direction, key: string): boolean {
    return this.#open.has(placeOf(direction, key))
  }

  add(exchange: Exchange): void {
    const place = placeOf(exchange.direction, exchange.key)
    const same = this.#open.get(place)
    if (same === undefined) this.#open.set(place, [exchange])
    else same.push(exchange)
    this.#count++
  }

  /** The oldest open exchange of that id that has gone on to its receiver: nobody else can have an answer. */
  find(direction: Direction, key: string): Exchange | undefined {
    return this.#open.get(placeOf(direction, key))?.find((exchange) => exchange.receipt !== undefined)
  }

  remove(exchange: Exchange): void {
    const place = placeOf(exchange.direction, exchange.key)
    const same = this.#open.get(place)
    const left = same?.filter((other) => other !== exchange) ?? []
    this.#count -= (same?.length ?? 0) - left.length
    if (left.length === 0) this.#open.delete(place)
    else this.#open.set(place, left)
  }

  all(): Exchange[] {
    return [...this.#open.values()].flat()
  }
}

function placeOf(direction: Direction, key: string): string {
  return `${direction} ${key}`
}

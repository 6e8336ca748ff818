import type { Classification, Uuid } from '@affidavit/evidence/record/header'
import type { CaptureLevel, Direction, ExchangeKind } from '@affidavit/evidence/record/kinds'
import type { Accessed } from './accessed.ts'
import type { Moment } from './clock.ts'
import type { EmitReceipt } from './context.ts'
import type { ListedPage } from './tools/listings.ts'

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
  /** Who asked, and for lists with which cursor. */
  asked: Pick<ListedPage, 'viewer' | 'cursor'>
  /** When notifications/cancelled named it. A response that comes within cancelGraceUs keeps its own outcome. */
  cancelledUs: number | undefined
  /** Of its `requested`; undefined until that is durable. */
  receipt: EmitReceipt | undefined
  /** As `requested` says; undefined until that is drafted. */
  classification: Classification | undefined
  /** What is captured of it: what is captured of everything, or less where its data is of the highest level. */
  level: CaptureLevel
  /** Grows while the call runs; what it holds when the outcome is drafted is recorded with it. */
  accessed: Accessed
}

/** A call as somebody outside may know it, and add to it what the messages do not tell. */
export type OpenCall = Pick<Exchange, 'callId' | 'method' | 'level' | 'accessed'>

/**
 * At more open calls than this, new ones of the same direction are refused. Every open call has room in the spool set aside
 * for its outcome, and there is room for 16,384 of one process: a server whose questions nobody answers must not take it all.
 */
const inFlightMax: Record<Direction, number> = { 'to-server': 65_536, 'to-client': 256 }

/** More calls are open than we keep track of. */
export class PushbackError extends Error {
  override readonly name = 'PushbackError'
  readonly code = 'too_many_in_flight'
  readonly retry = true
}

/**
 * How long after its cancellation a call may still be answered. Then it ends as `cancelled` and frees what is reserved for
 * its outcome: a server that was told to stop owes no response (MCP, cancellation), and most send none.
 */
export const cancelGraceUs = 5_000_000

/** Cancelled calls per connection of which a late response is still recognised; the oldest are forgotten first. */
const tombstonesMax = 4096

/** Open exchanges by direction and typed id. Equal ids in flight are a violation, and are answered in order. */
export class InFlight {
  readonly #open = new Map<string, Exchange[]>()
  readonly #counts: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 }
  /** In the order of their cancellation. Some may have been answered since. */
  #cancelled: Exchange[] = []
  /** Places of calls that ended as cancelled, with how many of the same id there were. */
  readonly #tombstones = new Map<string, number>()

  get size(): number {
    return this.#counts['to-server'] + this.#counts['to-client']
  }

  /** Per direction, so that a server that floods requests does not block the client's calls. */
  isFull(direction: Direction): boolean {
    return this.#counts[direction] >= inFlightMax[direction]
  }

  has(direction: Direction, key: string): boolean {
    return this.#open.has(placeOf(direction, key))
  }

  add(exchange: Exchange): void {
    const place = placeOf(exchange.direction, exchange.key)
    const same = this.#open.get(place)
    if (same === undefined) this.#open.set(place, [exchange])
    else same.push(exchange)
    this.#counts[exchange.direction]++
  }

  /** The oldest open exchange of that id that has gone on to its receiver: nobody else can have an answer. */
  find(direction: Direction, key: string): Exchange | undefined {
    return this.#open.get(placeOf(direction, key))?.find((exchange) => exchange.receipt !== undefined)
  }

  includes(exchange: Exchange): boolean {
    return this.#open.get(placeOf(exchange.direction, exchange.key))?.includes(exchange) ?? false
  }

  remove(exchange: Exchange): void {
    const place = placeOf(exchange.direction, exchange.key)
    const same = this.#open.get(place)
    const left = same?.filter((other) => other !== exchange) ?? []
    this.#counts[exchange.direction] -= (same?.length ?? 0) - left.length
    if (left.length === 0) this.#open.delete(place)
    else this.#open.set(place, left)
  }

  /** Marks the oldest call of that id that is not marked yet, also while its record is on its way. */
  cancel(direction: Direction, key: string, nowUs: number): void {
    const same = this.#open.get(placeOf(direction, key))
    const exchange = same?.find(({ cancelledUs }) => cancelledUs === undefined)
    if (exchange === undefined) return
    exchange.cancelledUs = nowUs
    this.#cancelled.push(exchange)
  }

  /** Takes out the calls whose grace is over and that nobody answered. Their late responses are recognised by `exhume`. */
  takeCancelled(nowUs: number): Exchange[] {
    const open = this.#cancelled.filter((exchange) => this.includes(exchange))
    const isOver = ({ cancelledUs = nowUs, receipt }: Exchange) =>
      receipt !== undefined && nowUs - cancelledUs >= cancelGraceUs
    const over = open.filter(isOver)
    this.#cancelled = open.filter((exchange) => !isOver(exchange))
    for (const exchange of over) this.#bury(exchange)
    return over
  }

  /** Whether a response answers a call that ended as cancelled; each is told once. */
  exhume(direction: Direction, key: string): boolean {
    const place = placeOf(direction, key)
    const count = this.#tombstones.get(place) ?? 0
    if (count > 1) this.#tombstones.set(place, count - 1)
    else this.#tombstones.delete(place)
    return count > 0
  }

  #bury(exchange: Exchange): void {
    this.remove(exchange)
    const place = placeOf(exchange.direction, exchange.key)
    const count = this.#tombstones.get(place) ?? 0
    this.#tombstones.delete(place)
    this.#tombstones.set(place, count + 1)
    const [oldest] = this.#tombstones.keys()
    if (this.#tombstones.size > tombstonesMax && oldest !== undefined) this.#tombstones.delete(oldest)
  }

  all(): Exchange[] {
    return [...this.#open.values()].flat()
  }
}

function placeOf(direction: Direction, key: string): string {
  return `${direction} ${key}`
}

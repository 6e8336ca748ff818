import type { Viewer } from './viewer.ts'

const openMax = 64
/** What a listing has beyond these is not looked at. */
const namesMax = 20_000

/** A listing as far as its pages have come. */
export interface Listing {
  /** Every name that was listed and is looked at. */
  names: Set<string>
  /** Whether its pages are there from the first on, with all their tools: only then is what is not in it gone. */
  isWhole: boolean
  isComplete: boolean
  /** Records of changes that it has led to so far. */
  recordCount: number
}

/** One page of tools/list, as it concerns the listing it belongs to. */
export interface ListedPage {
  viewer: Viewer
  /** That the request asked with; undefined for the first page, and `unread` where it was no text or longer than we keep. */
  cursor: string | undefined | { unread: true }
  /** Where the next page begins; undefined for the last one. */
  next: string | undefined | { unread: true }
  names: readonly string[]
  /** Whether `names` are all that the page has. */
  isWhole: boolean
}

/** Puts pages together by the cursor that leads from one to the next, so that two listings at once stay two. */
export class Listings {
  readonly #open = new Map<string, Listing>()

  take(page: ListedPage): Listing {
    const listing = this.#find(page)
    for (const name of page.names) if (listing.names.size < namesMax) listing.names.add(name)
    listing.isWhole &&= page.isWhole && page.names.every((name) => listing.names.has(name))
    listing.isComplete = page.next === undefined
    if (typeof page.next === 'string') this.#remember(placeOf(page.viewer, page.next), listing)
    return listing
  }

  #find({ viewer, cursor }: ListedPage): Listing {
    const begun = { names: new Set<string>(), isWhole: cursor === undefined, isComplete: false, recordCount: 0 }
    if (typeof cursor !== 'string') return begun
    const place = placeOf(viewer, cursor)
    const listing = this.#open.get(place)
    this.#open.delete(place)
    return listing ?? begun
  }

  #remember(place: string, listing: Listing): void {
    this.#open.set(place, listing)
    const [oldest] = this.#open.keys()
    if (this.#open.size > openMax && oldest !== undefined) this.#open.delete(oldest)
  }
}

function placeOf({ principal, session }: Viewer, cursor: string): string {
  return JSON.stringify([principal, session ?? null, cursor])
}

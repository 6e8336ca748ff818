import type { Listing } from './listings.ts'
import type { Viewer } from './viewer.ts'

/** Names that are remembered over all views, and views; those that have not listed for longest are forgotten first. */
const namesMax = 200_000
const viewsMax = 1024

/** What one viewer was shown. */
export interface View {
  /** Hashes of the definitions by name, the latest; more than one where a listing has a name twice. */
  shown: Map<string, readonly string[]>
  /** What its next listing is expected to have. */
  due: Set<string>
  hasListed: boolean
}

/**
 * Principals are remembered from process to process, sessions within this one. A session is compared with its own last
 * listing, and at first with the first listing of the principal's session before it: servers may show more tools the
 * longer a session goes on, and a new session that begins with few has lost none.
 */
export class Views {
  readonly #principals: Map<string, View>
  readonly #sessions = new Map<string, View>()

  constructor(principals: Iterable<[string, View]> = []) {
    this.#principals = new Map(principals)
  }

  /** In the order in which they listed, the latest last. */
  get principals(): ReadonlyMap<string, View> {
    return this.#principals
  }

  /** What the viewer was shown; undefined where that is nothing. */
  find({ principal, session }: Viewer): View | undefined {
    return (session === undefined ? undefined : this.#sessions.get(session)) ?? this.#principals.get(principal)
  }

  /** The view that a listing is compared with and then changes. */
  open({ principal, session }: Viewer): View {
    const own = this.#principals.get(principal) ?? { shown: new Map(), due: new Set(), hasListed: false }
    renew(this.#principals, principal, own)
    if (session === undefined) return own
    const view = this.#sessions.get(session) ?? { shown: new Map(own.shown), due: new Set(own.due), hasListed: false }
    renew(this.#sessions, session, view)
    return view
  }

  /** The last page of a listing has come. Returns what was expected to be in it, with what was shown of it. */
  complete(viewer: Viewer, { names, isWhole }: Listing): Map<string, readonly string[]> {
    const view = this.open(viewer)
    const missing = new Map<string, readonly string[]>()
    if (isWhole) for (const name of view.due) if (!names.has(name)) missing.set(name, view.shown.get(name) ?? [])
    view.due = isWhole ? new Set(names) : new Set([...view.due, ...names])
    for (const name of missing.keys()) view.shown.delete(name)
    const own = this.#principals.get(viewer.principal)
    if (own !== undefined && own !== view) {
      own.shown = new Map(view.shown)
      if (!view.hasListed) own.due = new Set(view.due)
      for (const name of missing.keys()) own.due.delete(name)
    }
    view.hasListed = true
    this.#forget()
    return missing
  }

  #forget(): void {
    let count = 0
    for (const views of [this.#sessions, this.#principals]) for (const { shown } of views.values()) count += shown.size
    for (const views of [this.#sessions, this.#principals])
      for (const [key, { shown }] of views) {
        const isTooMuch = count > namesMax || views.size > viewsMax
        if (!isTooMuch || views.size === 1) break
        views.delete(key)
        count -= shown.size
      }
  }
}

function renew(views: Map<string, View>, key: string, view: View): void {
  views.delete(key)
  views.set(key, view)
}

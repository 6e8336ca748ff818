import type { KeyedDigest, ToolRef } from '@affidavit/evidence/record/header'
import { isKeptName } from '@affidavit/evidence/record/text'
import type { ListedTool } from './message.ts'

const toolsMax = 100_000

/**
 * The tools a server listed, so that a call names its tool exactly and points at the definition the agent saw. What was
 * listed stays valid until a new listing is complete: notifications/tools/list_changed says that there will be one, not
 * what is in it.
 */
export class ToolRegistry {
  #complete = new Map<string, string>()
  #arriving: Map<string, string> | undefined

  /** One page of tools/list. The first page begins a new listing, the page without nextCursor completes it. */
  add(tools: readonly ListedTool[], page: { isFirst: boolean; isLast: boolean }): void {
    if (page.isFirst || this.#arriving === undefined) this.#arriving = new Map()
    for (const { name, definition } of tools)
      if (this.#arriving.size < toolsMax && isKeptName(name)) this.#arriving.set(name, definition)
    if (!page.isLast) return
    this.#complete = this.#arriving
    this.#arriving = undefined
  }

  /** The reference for a header. A name the server never listed is client-chosen text: only its digest goes there. */
  refer(name: string, digest: (name: string) => KeyedDigest): ToolRef {
    const definition = this.#arriving?.get(name) ?? this.#complete.get(name)
    return definition === undefined ? { nameDigest: digest(name), definition: 'unlisted' } : { name, definition }
  }
}

import type { ToolRef } from '@affidavit/evidence/record/header'
import { clipText, isKeptName } from '@affidavit/evidence/record/text'
import type { CaptureContext } from './context.ts'
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

  /**
   * The reference for a header. A name the server never listed is client-chosen text: only its digest goes there. A listed
   * one is exact, but for what redaction matches in it: a server that builds names from its configuration may show a key.
   */
  refer(name: string, { digest, redactor }: Pick<CaptureContext, 'digest' | 'redactor'>): ToolRef {
    const definition = this.#arriving?.get(name) ?? this.#complete.get(name)
    if (definition === undefined) return { nameDigest: digest(name), definition: 'unlisted' }
    return { name: clipText(redactor.redactText(name).text), definition }
  }
}

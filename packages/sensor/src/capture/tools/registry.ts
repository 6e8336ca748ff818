import type { Hash, ServerRef, ToolRef, Uuid } from '@affidavit/evidence/record/header'
import type { EffectClass } from '@affidavit/evidence/record/kinds'
import { clipText, isKeptName } from '@affidavit/evidence/record/text'
import type { CaptureContext } from '../context.ts'
import type { CapturedLine } from '../line.ts'
import { type ScannedMessage, textOf } from '../message.ts'
import { type BaselineContext, keepBaseline, loadBaseline } from './baseline-store.ts'
import { claimOf } from './claim.ts'
import { compareListing, comparePage, type Memory, Untold } from './compare.ts'
import { InForce } from './in-force.ts'
import { type ListedPage, type Listing, Listings } from './listings.ts'
import { recordNews } from './record.ts'
import type { Viewer } from './viewer.ts'
import { Views } from './views.ts'

/** Records that one listing may lead to, over all its pages; beyond them every page has one, which counts the others. */
const recordsMax = 256

/** A response to tools/list. */
export interface ToolPage {
  line: CapturedLine
  message: ScannedMessage
  /** The exchange it belongs to. */
  callId: Uuid
  server: ServerRef
  asked: Pick<ListedPage, 'viewer' | 'cursor'>
}

/**
 * The tools of one server: so that a call names its tool exactly and points at the definition that is in force, and so
 * that first sight, change and disappearance of a tool are records before the agent sees them. What earlier processes saw
 * is loaded with the first message about tools. notifications/tools/list_changed only says that there will be a listing,
 * not what is in it.
 */
export class ToolRegistry {
  readonly #listings = new Listings()
  readonly #memory: Memory = { inForce: new InForce(), untold: new Untold() }
  #views = new Views()
  #loading: Promise<void> | undefined
  #isLoaded = false
  /** Records on their way: whoever is shown what they tell of waits for them too. */
  readonly #recording = new Set<Promise<void>>()
  #isTouched = false
  #saving: Promise<void> = Promise.resolve()
  #saved: Uint8Array | undefined

  /** Loads what earlier processes saw. Undefined: it is there, or there is nothing to load. Never rejects. */
  load(context: CaptureContext): Promise<void> | undefined {
    if (this.#isLoaded || context.baselines === undefined) return undefined
    this.#loading ??= this.#load(context)
    return this.#loading
  }

  /**
   * One page. Undefined: it may go on. Else it may when this resolves: everything new in it is durable then. Rejects like
   * emit where that cannot be; then it is new to the next listing again.
   */
  take(context: CaptureContext, page: ToolPage): Promise<void> | undefined {
    const { message, asked } = page
    const names = message.tools.flatMap(({ name }) => (isKeptName(name) ? [name] : []))
    const isWhole = names.length === message.toolCount
    // At once: pages belong together in the order in which they come.
    const listing = this.#listings.take({ ...asked, next: readCursor(message, 'result.nextCursor'), names, isWhole })
    const judge = () => this.#judge(context, page, listing)
    return this.load(context)?.then(judge) ?? judge()
  }

  /**
   * The reference for a header: the definition that this viewer was shown last, else the latest that anybody was, if need
   * be in an earlier process. A name the server never listed is client-chosen text: only its digest goes there. A listed
   * one is exact, but for what redaction matches in it: a server that builds names from its configuration may show a key.
   */
  refer(name: string, viewer: Viewer, { digest, redactor }: Pick<CaptureContext, 'digest' | 'redactor'>): ToolRef {
    const shown = this.#views.find(viewer)?.shown.get(name)?.at(-1)
    const definition = shown ?? this.#memory.inForce.latest(name)?.definition
    if (definition === undefined) return { nameDigest: digest(name), definition: 'unlisted' }
    return { name: clipText(redactor.redactText(name).text), definition }
  }

  /** What the server says in the annotations of the tool that it listed with this definition. */
  claimOf(name: string, definition: Hash, digest: CaptureContext['digest']): EffectClass | undefined {
    const known = this.#memory.inForce.find(name, definition)
    return known && claimOf(known, digest)
  }

  /** Keeps what is known for later processes, where it changed. Never rejects: no call depends on it. */
  save(context: BaselineContext): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save(context))
    return this.#saving
  }

  #judge(context: CaptureContext, page: ToolPage, listing: Listing): Promise<void> | undefined {
    const { line, message, asked } = page
    const tools = message.tools.filter(({ name }) => listing.names.has(name))
    const news = comparePage(context, { line, tools }, this.#memory, this.#views.open(asked.viewer))
    if (listing.isComplete)
      news.push(...compareListing(this.#views.complete(asked.viewer, listing), listing, this.#memory))
    this.#isTouched = true
    if (news.length > 0) {
      const source = {
        listing: page.callId,
        server: page.server,
        arrived: line.arrived,
        unreadCount: message.toolCount - tools.length,
      }
      const max = Math.max(1, recordsMax - listing.recordCount)
      listing.recordCount += Math.min(max, news.length)
      this.#await(this.#record(recordNews(context, news, source, max)))
    }
    return this.#recording.size === 0 ? undefined : Promise.all(this.#recording).then(() => undefined)
  }

  #await(recording: Promise<void>): void {
    this.#recording.add(recording)
    const forget = () => this.#recording.delete(recording)
    recording.then(forget, forget)
  }

  async #record(recording: ReturnType<typeof recordNews>): Promise<void> {
    const { unrecorded, failure } = await recording
    for (const each of unrecorded) this.#memory.untold.add(each)
    if (failure !== undefined) throw failure
  }

  async #load(context: CaptureContext): Promise<void> {
    const loaded = await loadBaseline(context)
    this.#isLoaded = true
    if (loaded === undefined) return
    this.#saved = loaded.bytes
    this.#views = new Views(loaded.baseline.principals)
    for (const [name, forms] of loaded.baseline.tools) for (const known of forms) this.#memory.inForce.add(name, known)
  }

  async #save(context: BaselineContext): Promise<void> {
    await Promise.allSettled(this.#recording)
    // What is not recorded is not known either: the next process shall find it new.
    if (!this.#isTouched || this.#recording.size > 0 || !this.#memory.untold.isEmpty) return
    this.#isTouched = false
    this.#saved = await keepBaseline(context, { inForce: this.#memory.inForce, views: this.#views }, this.#saved)
  }
}

/** JSON null stands for absent in some clients and servers. */
export function readCursor(message: ScannedMessage, path: 'params.cursor' | 'result.nextCursor'): ListedPage['cursor'] {
  const span = message.spans.get(path)
  if (span === undefined || span.type === 'null') return undefined
  return textOf(span) ?? { unread: true }
}

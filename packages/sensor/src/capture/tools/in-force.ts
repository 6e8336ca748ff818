import { type Known, sizeOfHeld } from './known.ts'

/** Names that are remembered, twice what a listing has; those not listed for longest are forgotten first, and appear anew. */
const namesMax = 40_000
/** What one name may have at a time. */
const formsMax = 16
/** Of one definition, and of all together: what is larger is known by its hash alone. */
const heldBytesMax = 64 * 1024
const allHeldBytesMax = 2 * 1024 * 1024

/**
 * The definitions in force by name: those that somebody was shown last. Mostly there is one; more where a server shows
 * tools differently to different viewers.
 */
export class InForce {
  readonly #forms = new Map<string, Map<string, Known>>()
  #heldBytes = 0

  /** In the order in which they were listed, the latest last. */
  get forms(): ReadonlyMap<string, ReadonlyMap<string, Known>> {
    return this.#forms
  }

  find(name: string, definition: string): Known | undefined {
    return this.#forms.get(name)?.get(definition)
  }

  /** The one that was listed last. */
  latest(name: string): Known | undefined {
    return [...(this.#forms.get(name)?.values() ?? [])].at(-1)
  }

  /** It was listed: what is held of it already stays. */
  add(name: string, known: Known): void {
    const forms = this.#forms.get(name) ?? new Map<string, Known>()
    const kept = forms.get(known.definition) ?? this.#limit(known)
    if (!forms.has(known.definition)) this.#heldBytes += sizeOfHeld(kept.held)
    forms.delete(known.definition)
    forms.set(known.definition, kept)
    this.#forms.delete(name)
    this.#forms.set(name, forms)
    const [oldestForm] = forms.keys()
    if (forms.size > formsMax && oldestForm !== undefined) this.remove(name, oldestForm)
    const [oldest] = this.#forms.keys()
    if (this.#forms.size > namesMax && oldest !== undefined) this.removeAll(oldest)
  }

  remove(name: string, definition: string): void {
    const forms = this.#forms.get(name)
    this.#heldBytes -= sizeOfHeld(forms?.get(definition)?.held)
    forms?.delete(definition)
    if (forms?.size === 0) this.#forms.delete(name)
  }

  removeAll(name: string): void {
    for (const definition of [...(this.#forms.get(name)?.keys() ?? [])]) this.remove(name, definition)
  }

  #limit(known: Known): Known {
    const bytes = sizeOfHeld(known.held)
    if (bytes <= heldBytesMax && this.#heldBytes + bytes <= allHeldBytesMax) return known
    return { definition: known.definition, bytes: known.bytes }
  }
}

import { CodeTally } from './code.ts'
import { undoEscapes } from './escapes.ts'
import { holdsInstructions } from './injection.ts'
import { findWords } from './words.ts'

/** Kinds of content that detectors tell apart. Heuristics: a tag says that something looked like it, and no more. */
export const contentTags = ['credential', 'customer', 'financial', 'health', 'instructions', 'source-code'] as const
export type ContentTag = (typeof contentTags)[number]

/** What was seen in a text; of the text nothing is kept. */
export interface ContentReading {
  /** In alphabetical order. */
  tags: ContentTag[]
  /** Bytes of the text, and how many of them were looked at: long texts are sampled behind their beginning. */
  bytes: number
  lookedAtBytes: number
}

/** Finds what redaction knows: `class` as its rules have it (`secret`, `email`, `card`, …). */
export type Spot = (text: string, onFound: (found: { class: string; value: string }) => void) => void

/** Looked at whole up to here; behind it one window of every stride. */
const wholeBytes = 64 * 1024
const strideBytes = 1024 * 1024
const windowBytes = 8 * 1024
/** What may lie across the border of two windows. */
const overlapChars = 256
/** Different values that are counted; more of them say nothing new. */
const distinctMax = 8

const classTags = new Map<string, ContentTag>([
  ['secret', 'credential'],
  ['card', 'financial'],
  ['iban', 'financial'],
  ['ssn', 'customer'],
])
const contactClasses = new Set(['email', 'phone'])
/** Kinds of word that must come together, and how few do beside a contact of somebody. */
const wordsMin = { customer: 3, financial: 3, health: 3 } as const
const wordsBesideContact = 2
const contactsMin = 3

/**
 * Reads a text as it goes by, in memory that does not grow with it. push() its bytes (UTF-8, JSON escapes or not), end() when
 * it is over.
 */
export class ContentDetector {
  readonly #spot: Spot
  readonly #tags = new Set<ContentTag>()
  readonly #contacts = new Set<string>()
  readonly #words = { customer: new Set<string>(), financial: new Set<string>(), health: new Set<string>() }
  readonly #code = new CodeTally()
  /** The beginning of the text, for whoever has to look at it once it is known whose it is. */
  readonly head: Uint8Array[] = []
  #bytes = 0
  #lookedAtBytes = 0
  #parts: Uint8Array[] = []
  #gathered = 0
  #overlap = ''

  constructor(spot: Spot) {
    this.#spot = spot
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const left = this.#leftOfWindow()
      const part = bytes.subarray(at, at + Math.abs(left))
      if (left > 0) {
        // A copy: the chunk may be written over before the window is full.
        const kept = part.slice()
        this.#parts.push(kept)
        if (this.#bytes < wholeBytes) this.head.push(kept)
        this.#gathered += part.length
      }
      this.#bytes += part.length
      at += part.length
      if (this.#gathered >= windowBytes) this.#look()
    }
  }

  end(): ContentReading {
    this.#look()
    return { tags: this.#judge(), bytes: this.#bytes, lookedAtBytes: this.#lookedAtBytes }
  }

  /** Bytes until the window that is looked at is over; negative: bytes that are passed over before the next one begins. */
  #leftOfWindow(): number {
    const open = windowBytes - this.#gathered
    if (this.#bytes < wholeBytes) return open
    const within = (this.#bytes - wholeBytes) % strideBytes
    return within < windowBytes ? Math.min(open, windowBytes - within) : within - strideBytes
  }

  #look(): void {
    if (this.#gathered === 0) return
    const text = this.#overlap + undoEscapes(Buffer.concat(this.#parts).toString('utf8'))
    this.#lookedAtBytes += this.#gathered
    this.#parts = []
    this.#gathered = 0
    this.#overlap = text.slice(-overlapChars)
    this.#take(text)
  }

  #take(text: string): void {
    this.#spot(text, ({ class: found, value }) => {
      const tag = classTags.get(found)
      if (tag !== undefined) this.#tags.add(tag)
      else if (contactClasses.has(found) && this.#contacts.size < distinctMax) this.#contacts.add(value)
    })
    findWords(text, (word, kind) => this.#words[kind].add(word))
    if (holdsInstructions(text)) this.#tags.add('instructions')
    this.#code.take(text)
  }

  #judge(): ContentTag[] {
    const tags = new Set(this.#tags)
    const contacts = this.#contacts.size
    for (const kind of ['customer', 'financial', 'health'] as const) {
      const words = this.#words[kind].size
      if (words >= wordsMin[kind] || (contacts > 0 && words >= wordsBesideContact)) tags.add(kind)
    }
    // A program names its authors, and that is not a list of customers.
    const isCode = this.#code.isCode
    if (isCode) tags.add('source-code')
    if (contacts >= contactsMin && !isCode) tags.add('customer')
    return [...tags].sort()
  }
}

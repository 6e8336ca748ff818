import { encodeShape, parseCanonical } from './canonical.ts'
import { hash } from './digest.ts'
import type { Hash } from './header.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { code, shortText, text } from './text.ts'

export const resourceTypes = ['path', 'uri', 'table', 'column', 'host', 'other'] as const

/** One thing the call touched or asked for, as an extractor read it from the input or the result. */
export interface Resource {
  type: (typeof resourceTypes)[number]
  /** At most 1,024 bytes; clipped beyond (clipText). */
  name: string
  /** What kinds of data it holds, e.g. `email`, `card`; at most 32. */
  dataTypes: string[]
  /** Level of its classification, where it has one of its own. */
  level?: string
  /** Rows or items of it that the call returned or changed. */
  rows?: number
  /** Whose data it is, as a class: `customer`, `patient`, … */
  subjectClass?: string
  /** Which extractor said so. */
  source: string
}

/** How the catalogue came to what it says of a request. Entries are named as `FILE#ID`. */
export interface CatalogueBasis {
  /** SHA-256 over the files of the catalogue in force. */
  catalogue: Hash
  /** The entries that match, in the order in which they were applied: of two that say the same thing, the later one won. The first 32. */
  entries: string[]
  /** Which of them gave the level, and which the effect class. */
  level?: string
  effect?: string
  /** Whose data it is, as the entry named in `source` has it. */
  owner?: { name: string; source: string }
  /** What could not be read, by code; the first 16. */
  problems: string[]
}

export interface ResourcesSection {
  /** The first 256. */
  resources: Resource[]
  omitted: number
  /** In the `requested` record of what a catalogue knows. */
  basis?: CatalogueBasis
}

export const resourcesShape = object({
  resources: listOf(
    object({
      type: oneOf(resourceTypes),
      name: text(1_024),
      dataTypes: listOf(text(64), 32),
      level: optional(text(64)),
      rows: optional(integer()),
      subjectClass: optional(text(64)),
      source: shortText,
    }),
    256,
  ),
  omitted: integer(),
  basis: optional(
    object({
      catalogue: hash,
      entries: listOf(shortText, 32),
      level: optional(shortText),
      effect: optional(shortText),
      owner: optional(object({ name: text(128), source: shortText })),
      problems: listOf(code, 16),
    }),
  ),
})

const bytesMax = 1 << 23

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseResources(bytes: Uint8Array): ResourcesSection {
  return parseCanonical(bytes, bytesMax, resourcesShape) as ResourcesSection
}

/** Throws RecordError where parseResources would refuse the bytes. */
export function encodeResources(section: ResourcesSection): Uint8Array {
  return encodeShape(section, resourcesShape, bytesMax)
}

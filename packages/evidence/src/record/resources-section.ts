import { encodeShape, parseCanonical } from './canonical.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'

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

export interface ResourcesSection {
  /** The first 256. */
  resources: Resource[]
  omitted: number
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

import { encodeShape, parseCanonical } from './canonical.ts'
import { hash } from './digest.ts'
import type { Hash } from './header.ts'
import { effectClasses } from './kinds.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { code, shortText, text } from './text.ts'
import { type ValueMarks, valueMarksShape } from './value-marks.ts'

export const resourceTypes = ['path', 'uri', 'table', 'column', 'host', 'other'] as const

const accesses = ['read', 'write'] as const
export const statementEffects = [...effectClasses, 'unknown'] as const
export const statementBounds = ['bounded', 'unbounded', 'unknown', 'none'] as const
export const statementsMax = 32

/** What a statement in an argument does, as its parser tells it (docs/SQL.md); no literal of it is in here. */
export interface Statement {
  dialect: string
  /** `select`, `delete`, `bulk insert`; absent where the text begins with none. */
  verb?: string
  effect: (typeof statementEffects)[number]
  /** Whether it says itself which or how many rows; absent where it could not be read. */
  bound?: (typeof statementBounds)[number]
  /** Why it could not be read, as a code: then `effect` is the least that its verb does. */
  unparsable?: string
  /** What it runs that was not read: `code`, `routine`. */
  unseen: string[]
  source: string
}

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
  /** Of a table in a statement: whether it is written, created, altered or dropped there, or only read. */
  access?: (typeof accesses)[number]
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
  /** Of the level in its scheme: 0 is the least sensitive of so many. Absent where no entry gives a level. */
  place?: { rank: number; of: number }
  /** Whose data it is, as the entry named in `source` has it. */
  owner?: { name: string; source: string }
  /** What could not be read, by code; the first 16. */
  problems: string[]
}

export interface ResourcesSection {
  /** The first 256. */
  resources: Resource[]
  omitted: number
  /** The first 32, in their order; absent where there is none. */
  statements?: Statement[]
  /** How many there are besides. */
  statementsOmitted?: number
  /** Of the values in the arguments, where values are followed. */
  values?: ValueMarks
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
      access: optional(oneOf(accesses)),
      source: shortText,
    }),
    256,
  ),
  omitted: integer(),
  statements: optional(
    listOf(
      object({
        dialect: code,
        verb: optional(text(64)),
        effect: oneOf(statementEffects),
        bound: optional(oneOf(statementBounds)),
        unparsable: optional(code),
        unseen: listOf(code, 4),
        source: shortText,
      }),
      statementsMax,
    ),
  ),
  statementsOmitted: optional(integer(1)),
  values: optional(valueMarksShape),
  basis: optional(
    object({
      catalogue: hash,
      entries: listOf(shortText, 32),
      level: optional(shortText),
      effect: optional(shortText),
      place: optional(object({ rank: integer(), of: integer() })),
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

import { effectClasses } from '@affidavit/evidence/record/kinds'
import { statementBounds, statementEffects } from '@affidavit/evidence/record/resources-section'
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { CatalogueError, type CataloguePlace } from './catalogue-error.ts'
import { extractorNames } from './extract/names.ts'
import { sqlDialects } from './sql/reading.ts'

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9 and -')
const label = z.string().min(1).max(64)
/** As the record has them: what is longer would not fit there. */
const level = z
  .string()
  .regex(/^[a-z0-9][a-z0-9 ._-]{0,63}$/i, 'must be 1 to 64 letters, digits, spaces, dots and dashes')
const glob = z.string().min(1).max(1_000)
const globs = z.union([glob.transform((one) => [one]), z.array(glob).min(1).max(200)])
const pointer = z.string().regex(/^\/./, 'expected a JSON pointer such as /path').max(1_000)
const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()])

const oneOrMore = <T extends z.ZodType>(each: T) =>
  z.union([each.transform((one) => [one]), z.array(each).min(1).max(100)])

const ofArgument = z
  .strictObject({
    argument: pointer,
    equals: z.union([scalar.transform((one) => [one]), z.array(scalar).min(1).max(1_000)]).optional(),
    glob: globs.optional(),
    path: globs.optional(),
    host: globs.optional(),
    pattern: z.string().min(1).max(2_000).optional(),
  })
  .refine(
    ({ equals, glob, path, host, pattern }) =>
      [equals, glob, path, host, pattern].filter((each) => each !== undefined).length === 1,
    'needs exactly one of equals, glob, path, host and pattern',
  )
const ofTable = z.strictObject({ table: globs, access: z.enum(['read', 'write']).optional() })
const ofColumn = z.strictObject({ column: globs })
const ofStatement = z.strictObject({
  statement: z
    .strictObject({
      verb: oneOrMore(z.string().regex(/^[a-z]+( [a-z]+)*$/, 'verbs are in lower case')).optional(),
      bound: oneOrMore(z.enum(statementBounds)).optional(),
      effect: oneOrMore(z.enum(statementEffects)).optional(),
    })
    .refine((asked) => Object.keys(asked).length > 0, 'needs at least one of verb, bound and effect'),
})

/** By the key that tells what it is about, so that a mistake in it is told as one of that kind. */
const condition = z.unknown().transform((value, context): ConditionSource => {
  const key = (['table', 'column', 'statement'] as const).find((each) => isRecord(value) && Object.hasOwn(value, each))
  const parsed = (key === undefined ? ofArgument : conditions[key]).safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) context.addIssue({ ...issue, path: [...issue.path] })
  return z.NEVER
})
const conditions = { table: ofTable, column: ofColumn, statement: ofStatement }
const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null

export type ArgumentCondition = z.output<typeof ofArgument>
export type ConditionSource = ArgumentCondition | z.output<(typeof conditions)[keyof typeof conditions]>

const extraction = z
  .strictObject({
    as: z.enum(extractorNames),
    from: z.union([
      pointer.transform((one) => [one]),
      z.array(pointer).min(1).max(20),
      z.record(z.string().max(32), pointer),
    ]),
    with: z.record(z.string().max(32), z.string().min(1).max(256)).optional(),
    dialect: z.enum(sqlDialects).optional(),
    decides: z.literal('effect').optional(),
  })
  .refine(
    ({ as, dialect }) => (as === 'sql') === (dialect !== undefined),
    'sql needs a dialect, and nothing else has one',
  )
  .refine(({ as, decides }) => as === 'sql' || decides === undefined, 'only sql decides anything')

const entry = z
  .strictObject({
    id,
    server: globs.optional(),
    tool: globs.optional(),
    resource: globs.optional(),
    when: z.array(condition).min(1).max(20).optional(),
    sensitivity: level.optional(),
    effect: z.enum(effectClasses).optional(),
    dataTypes: z.array(label).max(16).optional(),
    owner: z.string().min(1).max(128).optional(),
    subjectClass: label.optional(),
    extract: z.array(extraction).min(1).max(20).optional(),
  })
  .refine(({ server, tool, resource }) => server ?? tool ?? resource, 'needs at least one of server, tool and resource')
  .refine(
    ({ when = [], extract }) => extract === undefined || when.every((each) => 'argument' in each),
    'conditions on tables, columns and statements look at what other entries extract: extract in one without them',
  )

const example = z.strictObject({
  call: z.strictObject({
    server: z.string().min(1),
    tool: z.string().optional(),
    resource: z.string().optional(),
    arguments: z.record(z.string(), z.unknown()).optional(),
  }),
  expect: z.strictObject({
    entries: z.array(z.string()).optional(),
    level: z.string().optional(),
    effect: z.enum(effectClasses).optional(),
    dataTypes: z.array(z.string()).optional(),
    owner: z.string().optional(),
    resources: z.array(z.string()).optional(),
  }),
})

const schema = z.strictObject({
  version: z.literal(1),
  levels: z.array(level).min(1).max(32).optional(),
  levelOf: z.record(z.string(), level).default({}),
  servers: z.record(z.string().min(1).max(256), z.string().min(1).max(256)).default({}),
  entries: z.array(entry).max(2_000).default([]),
  examples: z.array(example).max(5_000).default([]),
})

export type CatalogueFile = z.output<typeof schema>
export type EntrySource = CatalogueFile['entries'][number]
export type ExtractionSource = NonNullable<EntrySource['extract']>[number]
export type ExampleSource = CatalogueFile['examples'][number]

export interface ParsedCatalogue {
  file: CatalogueFile
  /** Of the value at this place, or of the deepest key on the way that exists. */
  placeOf: (...path: PropertyKey[]) => CataloguePlace
}

const known =
  'Known are version (1), levels, levelOf, servers, entries and examples; in an entry id, server, tool, resource, when, sensitivity, effect, dataTypes, owner, subjectClass and extract'

/** Parses a catalogue file. Throws CatalogueError with line, key and remedy. */
export function parseCatalogue(text: string): ParsedCatalogue {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true })
  const [broken] = document.errors
  if (broken !== undefined)
    throw new CatalogueError(
      'AFD_CATALOGUE_NOT_YAML',
      { line: counter.linePos(broken.pos[0]).line, key: '' },
      { message: `not YAML (${broken.code})`, remedy: 'Correct the line; quote globs and patterns with single quotes' },
    )
  const placeOf = (...path: PropertyKey[]): CataloguePlace => ({
    line: counter.linePos(offsetOf(document.contents, path)).line,
    key: path.map(String).join('.'),
  })
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (parsed.success) return { file: parsed.data, placeOf }
  const issue = innermost(parsed.error.issues)
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  throw new CatalogueError('AFD_CATALOGUE_INVALID', placeOf(...(issue?.path ?? []), ...unknownKey), {
    message: issue?.message ?? 'not a catalogue file',
    remedy: known,
  })
}

/** A key that is misspelt is also missing under its right name: what was written tells more than what was not. */
function innermost(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
}

function offsetOf(contents: unknown, path: readonly PropertyKey[]): number {
  let node = contents
  let offset = startOf(node) ?? 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) break
      offset = startOf(pair.key) ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof key === 'number') {
      node = node.items[key]
      offset = startOf(node) ?? offset
    } else break
  }
  return offset
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined
}

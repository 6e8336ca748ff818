import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { PatternsError } from './patterns-error.ts'
import { ruleClasses } from './rule.ts'

const classes = z.enum(ruleClasses)
const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9 and -, as it stands in the marker')

const rule = z
  .strictObject({
    id,
    class: classes.default('custom'),
    pattern: z.string().min(1).max(2_000).optional(),
    keys: z.array(z.string().min(1).max(128)).max(200).optional(),
    paths: z.array(z.string().startsWith('/').max(1_000)).max(200).optional(),
    examples: z
      .strictObject({ match: z.array(z.string()).default([]), noMatch: z.array(z.string()).default([]) })
      .optional(),
  })
  .refine(({ pattern, keys, paths }) => pattern ?? keys ?? paths, 'needs at least one of pattern, keys and paths')

const schema = z.strictObject({
  version: z.literal(1),
  classes: z.partialRecord(classes, z.boolean()).default({}),
  disable: z.array(id).default([]),
  rules: z.array(rule).max(500).default([]),
})

export type PatternsFile = z.output<typeof schema>

export interface ParsedPatterns {
  file: PatternsFile
  /** 1-based line of the value at this place, or of the deepest key on the way that exists. */
  lineOf: (path: readonly PropertyKey[]) => number
}

const known =
  'Known are version (1), classes, disable and rules; in a rule id, class, pattern, keys, paths and examples'

/** Parses a patterns file. Throws PatternsError with line, key and remedy. */
export function parsePatterns(text: string): ParsedPatterns {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true })
  const [broken] = document.errors
  if (broken !== undefined) {
    const line = counter.linePos(broken.pos[0]).line
    throw new PatternsError(
      'AFD_PATTERNS_NOT_YAML',
      { line, key: '' },
      { message: `not YAML (${broken.code})`, remedy: 'Correct the line; quote patterns with single quotes' },
    )
  }
  const lineOf = (path: readonly PropertyKey[]) => counter.linePos(offsetOf(document.contents, path)).line
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (parsed.success) return { file: parsed.data, lineOf }
  const { issues } = parsed.error
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...(issue?.path ?? []), ...unknownKey]
  throw new PatternsError(
    'AFD_PATTERNS_INVALID',
    { line: lineOf(path), key: path.map(String).join('.') },
    { message: issue?.message ?? 'not a patterns file', remedy: known },
  )
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

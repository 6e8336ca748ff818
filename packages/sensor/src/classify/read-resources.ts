import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { Extraction } from './catalogue.ts'
import type { ReadResource } from './classifier.ts'
import type { Parts } from './extract/named.ts'
import type { Values } from './pointers.ts'

/** As many as a section takes; what comes after them is counted. */
const resourcesMax = 256

export interface ResourcesRead {
  resources: ReadResource[]
  omitted: number
  /** What was read of effects, with the extractor that read it. */
  effects: { effect: EffectClass | 'unknown'; source: string }[]
  /** Codes, each once. */
  problems: string[]
}

/** What the arguments name, each once, in the order of the extractors. */
export function readResources(
  extractions: readonly Extraction[],
  values: ReadonlyMap<string, Values> | undefined,
): ResourcesRead {
  if (values === undefined) return { resources: [], omitted: 0, effects: [], problems: ['arguments_unread'] }
  const found = new Map<string, ReadResource>()
  const effects: ResourcesRead['effects'] = []
  const problems = new Set<string>()
  for (const { source, extract, from, fixed } of extractions) {
    for (const { pointers } of from)
      if (pointers.some((pointer) => (values.get(pointer)?.unread ?? 0) > 0)) problems.add('values_unread')
    for (const parts of partsOf(from, values)) {
      const { named, effect, problem } = extract({ ...fixed, ...parts })
      if (effect !== undefined) effects.push({ effect, source })
      if (problem !== undefined) problems.add(problem)
      for (const { type, name } of named) {
        const key = `${type} ${name}`
        if (!found.has(key)) found.set(key, { type, name, source })
      }
    }
  }
  const resources = [...found.values()].slice(0, resourcesMax)
  return { resources, omitted: found.size - resources.length, effects, problems: [...problems] }
}

/** A list of names goes with a list of folders element by element, and with a single folder as a whole. */
function partsOf(from: Extraction['from'], values: ReadonlyMap<string, Values>): Parts[] {
  const lists = from.map(({ part, pointers }) => ({
    part,
    texts: pointers.flatMap((pointer) => values.get(pointer)?.texts ?? []),
  }))
  const count = Math.max(0, ...lists.map(({ texts }) => texts.length))
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      lists.flatMap(({ part, texts }) => {
        const text = texts[i] ?? (texts.length === 1 ? texts[0] : undefined)
        return text === undefined ? [] : [[part, text]]
      }),
    ),
  )
}

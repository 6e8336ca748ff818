import type { EffectClass } from '@affidavit/evidence/record/kinds'
import { type Statement, statementsMax } from '@affidavit/evidence/record/resources-section'
import type { Extraction } from './catalogue.ts'
import type { ReadResource } from './classifier.ts'
import type { Extracted, Parts } from './extract/named.ts'
import type { Values } from './pointers.ts'

/** As many as a section takes; what comes after them is counted. */
const resourcesMax = 256

export interface ResourcesRead {
  resources: ReadResource[]
  omitted: number
  /** What was read of effects, with the extractor that read it. */
  effects: { effect: EffectClass | 'unknown'; source: string; decides: 'effect' | undefined }[]
  statements: Statement[]
  statementsOmitted: number
  /** Whether a statement, or a part of one, was not read. */
  isPartial: boolean
  /** Codes, each once. */
  problems: string[]
}

/** What the arguments name, each once, in the order of the extractors. */
export function readResources(
  extractions: readonly Extraction[],
  values: ReadonlyMap<string, Values> | undefined,
): ResourcesRead {
  if (values === undefined) return { ...nothingRead, isPartial: true, problems: ['arguments_unread'] }
  const gathered = new Gathered()
  for (const extraction of extractions) {
    const { extract, from, fixed } = extraction
    if (from.some(({ pointers }) => pointers.some((pointer) => (values.get(pointer)?.unread ?? 0) > 0)))
      gathered.addUnread(extraction)
    for (const parts of partsOf(from, values)) gathered.add(extraction, extract({ ...fixed, ...parts }))
  }
  return gathered.close()
}

const nothingRead: ResourcesRead = {
  resources: [],
  omitted: 0,
  effects: [],
  statements: [],
  statementsOmitted: 0,
  isPartial: false,
  problems: [],
}

class Gathered {
  readonly #found = new Map<string, ReadResource>()
  readonly #effects: ResourcesRead['effects'] = []
  readonly #problems = new Set<string>()
  readonly #statements: Statement[] = []
  #unreadStatements = 0
  #isPartial = false

  add({ source, decides, dialect }: Extraction, extracted: Extracted): void {
    const { named, effects = [], problem, statements = [], unreadStatements = 0 } = extracted
    for (const effect of effects) this.#effects.push({ effect, source, decides })
    if (problem !== undefined) this.#problems.add(problem)
    if (problem !== undefined && dialect !== undefined) this.#isPartial = true
    this.#statements.push(...statements.map((each) => ({ ...each, source })))
    this.#unreadStatements += unreadStatements
    for (const each of named) {
      const key = `${each.type} ${each.name}`
      const known = this.#found.get(key)
      if (known === undefined) this.#found.set(key, { ...each, source })
      else if (each.access === 'write') known.access = 'write'
    }
  }

  /** Values that nobody looked at: of a statement among them everything may be. */
  addUnread({ source, decides, dialect }: Extraction): void {
    this.#problems.add('values_unread')
    if (dialect === undefined) return
    this.#isPartial = true
    this.#effects.push({ effect: 'unknown', source, decides })
  }

  close(): ResourcesRead {
    const resources = [...this.#found.values()].slice(0, resourcesMax)
    const omitted = this.#found.size - resources.length
    const statements = this.#statements.slice(0, statementsMax)
    const statementsOmitted = this.#statements.length - statements.length + this.#unreadStatements
    return {
      resources,
      omitted,
      effects: this.#effects,
      statements,
      statementsOmitted,
      isPartial: this.#isPartial || omitted > 0 || statementsOmitted > 0,
      problems: [...this.#problems],
    }
  }
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

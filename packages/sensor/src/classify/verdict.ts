import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { CatalogueBasis } from '@affidavit/evidence/record/resources-section'
import type { Entry, Extraction } from './catalogue.ts'
import type { Classified } from './classifier.ts'
import type { Match } from './read-names.ts'
import type { ResourcesRead } from './read-resources.ts'

const gravity: Readonly<Record<EffectClass, number>> = { read: 0, write: 1, 'external-send': 2, destructive: 3 }
const entriesMax = 32
const problemsMax = 16
const tagsMax = 16

interface SaidBy<T> {
  value: T
  source: string
}

/**
 * What the entries of a catalogue come to, one after the other. An entry that holds for all of a request has the say in what
 * it names. One that holds for a part of it, such as one path of three, only ever makes the verdict graver: what is said of
 * a public file must not hide that a restricted one was read with it.
 */
export class Verdict {
  readonly entries: string[] = []
  extractions: readonly Extraction[] = []
  readonly #levels: readonly string[]
  #level: SaidBy<string> | undefined
  #effect: SaidBy<EffectClass> | undefined
  /** Whether the entry that said it had looked at the statements. */
  #isEffectOfStatement = false
  #owner: SaidBy<string> | undefined
  #dataTypes: readonly string[] = []
  #subjectClass: string | undefined

  constructor(levels: readonly string[]) {
    this.#levels = levels
  }

  apply(entry: Entry, match: Match): void {
    if (match === 'none') return
    const { source } = entry
    this.entries.push(source)
    if (match === 'all') this.#overrule(entry)
    else this.#raise(entry)
  }

  /**
   * What the text of an argument does: it counts where no entry says anything of the effect, and else where it is graver, or
   * where its entry says that it decides. A text of which nobody knows all says nothing.
   */
  applyEffects(effects: ResourcesRead['effects']): void {
    const isKnown = !effects.some(({ effect }) => effect === 'unknown')
    if (isKnown && effects.some(({ decides }) => decides === 'effect') && !this.#isEffectOfStatement)
      this.#effect = undefined
    const entrySays = this.#effect !== undefined
    for (const { effect, source } of effects) {
      if (effect === 'unknown' || (!isKnown && !entrySays && effect === 'read')) continue
      if (this.#effect === undefined || gravity[effect] > gravity[this.#effect.value])
        this.#effect = { value: effect, source }
    }
  }

  close(
    catalogue: string,
    problems: readonly string[],
  ): Omit<Classified, 'resources' | 'omitted' | 'statements' | 'statementsOmitted'> {
    const basis: CatalogueBasis = {
      catalogue,
      entries: this.entries.slice(0, entriesMax),
      ...(this.#level === undefined ? {} : { level: this.#level.source, place: this.#placeOf(this.#level.value) }),
      ...(this.#effect === undefined ? {} : { effect: this.#effect.source }),
      ...(this.#owner === undefined ? {} : { owner: { name: this.#owner.value, source: this.#owner.source } }),
      problems: problems.slice(0, problemsMax),
    }
    return {
      level: this.#level?.value,
      effect: this.#effect?.value,
      dataTypes: this.#dataTypes,
      subjectClass: this.#subjectClass,
      basis,
    }
  }

  #placeOf(level: string): { rank: number; of: number } {
    return { rank: this.#levels.indexOf(level), of: this.#levels.length }
  }

  #overrule({ source, said, extractions, ofStatements }: Entry): void {
    const { level, effect, owner, dataTypes, subjectClass } = said
    if (level !== undefined) this.#level = { value: level, source }
    if (effect !== undefined) {
      this.#effect = { value: effect, source }
      this.#isEffectOfStatement = ofStatements.length > 0
    }
    if (owner !== undefined) this.#owner = { value: owner, source }
    this.#dataTypes = dataTypes ?? this.#dataTypes
    this.#subjectClass = subjectClass ?? this.#subjectClass
    this.extractions = extractions ?? this.extractions
  }

  #raise({ source, said, extractions = [], ofStatements }: Entry): void {
    const { level, effect, owner, dataTypes = [], subjectClass } = said
    const rank = (each: string | undefined) => (each === undefined ? -1 : this.#levels.indexOf(each))
    if (level !== undefined && rank(level) > rank(this.#level?.value)) this.#level = { value: level, source }
    if (effect !== undefined && gravity[effect] > (this.#effect === undefined ? -1 : gravity[this.#effect.value])) {
      this.#effect = { value: effect, source }
      this.#isEffectOfStatement = ofStatements.length > 0
    }
    if (owner !== undefined) this.#owner ??= { value: owner, source }
    this.#dataTypes = [...new Set([...this.#dataTypes, ...dataTypes])].slice(0, tagsMax)
    this.#subjectClass ??= subjectClass
    this.extractions = [...this.extractions, ...extractions]
  }
}

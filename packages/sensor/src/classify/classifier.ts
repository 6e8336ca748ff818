import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { CatalogueBasis, Statement } from '@affidavit/evidence/record/resources-section'
import type { Catalogue, Entry } from './catalogue.ts'
import type { Named } from './extract/named.ts'
import { topLevelDefault } from './levels.ts'
import { lookAtStatements } from './look-at-statements.ts'
import { type PointerTree, plantPointers, readPointers, type Values } from './pointers.ts'
import type { Match } from './read-names.ts'
import { readResources } from './read-resources.ts'
import { Verdict } from './verdict.ts'

/** What is called or read. Names as they came, the server's as configured. */
export interface Target {
  server: string
  tool: string | undefined
  resource: string | undefined
}

/** A resource that a request names: its name is the client's text, and not redacted. */
export interface ReadResource extends Named {
  source: string
  /** What entries say of this table or column; absent: as of the whole call. */
  label?: Label
}

export interface Label {
  level: string | undefined
  dataTypes: readonly string[]
  subjectClass: string | undefined
}

/** What the catalogue says of one request. The same object wherever nothing depends on the arguments. */
export interface Classified {
  level: string | undefined
  effect: EffectClass | undefined
  dataTypes: readonly string[]
  subjectClass: string | undefined
  resources: readonly ReadResource[]
  /** Of how many there is no room for the name. */
  omitted: number
  statements: readonly Statement[]
  statementsOmitted: number
  basis: CatalogueBasis
}

/** What holds for every request to one target. */
interface Prepared {
  entries: readonly Entry[]
  /** The arguments that anybody asks for; undefined: none. */
  tree: PointerTree | undefined
  fixed: Classified | undefined
}

/** Of tools that are remembered; clients may call what no server has. */
const preparedMax = 4_096
const noValues: ReadonlyMap<string, Values> = new Map()

/** Asks the catalogue in force. Which entries are about a tool is looked up once; arguments are read only where one needs them. */
export class Classifier {
  #catalogue: Catalogue | undefined
  readonly #prepared = new Map<string, Prepared>()

  constructor(catalogue: Catalogue | undefined) {
    this.#catalogue = catalogue
  }

  /** Takes another catalogue for what comes from now on. */
  use(catalogue: Catalogue | undefined): void {
    this.#catalogue = catalogue
    this.#prepared.clear()
  }

  /** Whether data of this level is captured as metadata only. */
  isTop(level: string): boolean {
    return level === (this.#catalogue?.levels.at(-1) ?? topLevelDefault)
  }

  /** Whether values are followed at all. */
  get followsValues(): boolean {
    return this.#catalogue?.followedFrom !== undefined
  }

  /** Whether values of data of this level are to be found again elsewhere. */
  isFollowed(level: string): boolean {
    const { levels, followedFrom } = this.#catalogue ?? { levels: [], followedFrom: undefined }
    return followedFrom !== undefined && levels.indexOf(level) >= followedFrom
  }

  /**
   * Undefined: no entry is about it. `readJson` gives the JSON object that pointers lead into, and undefined where nobody
   * holds it: then every condition may hold, and counts where it makes the verdict graver.
   */
  classify(target: Target, readJson: () => Uint8Array | undefined): Classified | undefined {
    const catalogue = this.#catalogue
    if (catalogue === undefined) return undefined
    const prepared = this.#prepare(catalogue, target)
    if (prepared.fixed !== undefined) return prepared.fixed
    if (prepared.entries.length === 0) return undefined
    return judge(catalogue, prepared, readJson)
  }

  #prepare(catalogue: Catalogue, target: Target): Prepared {
    // Each URI is a target of its own, and there is no end of them.
    if (target.resource !== undefined) return prepare(catalogue, target)
    const key = `${target.server}\0${target.tool ?? ''}`
    const known = this.#prepared.get(key)
    if (known !== undefined) return known
    if (this.#prepared.size >= preparedMax) this.#prepared.clear()
    const prepared = prepare(catalogue, target)
    this.#prepared.set(key, prepared)
    return prepared
  }
}

function prepare(catalogue: Catalogue, { server, tool, resource }: Target): Prepared {
  const alias = catalogue.servers.get(server)
  const names = alias === undefined ? [server] : [server, alias]
  const entries = catalogue.entries.filter((entry) => {
    if (entry.server !== undefined && !names.some(entry.server)) return false
    if (entry.tool === undefined && entry.resource === undefined) return true
    return tool === undefined
      ? resource !== undefined && entry.resource?.(resource) === true
      : entry.tool?.(tool) === true
  })
  const pointers = entries.flatMap(({ conditions, extractions = [] }) => [
    ...conditions.map(({ pointer }) => pointer),
    ...extractions.flatMap(({ from }) => from.flatMap(({ pointers }) => pointers)),
  ])
  const needed = { entries, tree: pointers.length === 0 ? undefined : plantPointers(pointers) }
  const isFixed = needed.tree === undefined && entries.length > 0
  return { ...needed, fixed: isFixed ? judge(catalogue, { ...needed, fixed: undefined }, () => undefined) : undefined }
}

function judge(
  catalogue: Catalogue,
  { entries, tree }: Prepared,
  readJson: () => Uint8Array | undefined,
): Classified | undefined {
  const json = tree === undefined ? undefined : readJson()
  const values = tree === undefined ? noValues : json === undefined ? undefined : readPointers(json, tree)
  const asked = entries.map((entry) => ({ entry, match: matchArguments(entry, values) }))
  const verdict = new Verdict(catalogue.levels)
  for (const { entry, match } of asked) if (entry.ofStatements.length === 0) verdict.apply(entry, match)
  const read = readResources(verdict.extractions, values)
  const looked = lookAtStatements(catalogue, asked, read) ?? { verdict, resources: read.resources }
  if (looked.verdict.entries.length === 0) return undefined
  looked.verdict.applyEffects(read.effects)
  const { omitted, statements, statementsOmitted, problems } = read
  const { resources } = looked
  return { ...looked.verdict.close(catalogue.hash, problems), resources, omitted, statements, statementsOmitted }
}

/** Whether the entry's conditions on arguments hold for all that is asked for, for some of it, or for none. */
function matchArguments({ conditions }: Entry, values: ReadonlyMap<string, Values> | undefined): Match {
  let isAll = true
  for (const { pointer, matches } of conditions) {
    if (values === undefined) return 'some'
    const { texts, unread } = values.get(pointer) ?? { texts: [], unread: 0 }
    const count = texts.filter(matches).length
    if (count === 0 && unread === 0) return 'none'
    if (count < texts.length || unread > 0) isAll = false
  }
  return isAll ? 'all' : 'some'
}

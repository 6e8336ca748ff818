import type { Catalogue, Entry } from './catalogue.ts'
import type { Label, ReadResource } from './classifier.ts'
import type { Match } from './read-names.ts'
import type { ResourcesRead } from './read-resources.ts'
import { Verdict } from './verdict.ts'

/** An entry about the call, and how far its conditions on arguments hold. */
interface Asked {
  entry: Entry
  match: Match
}

/**
 * Applies all entries in their order, now that it is known what the statements of the call do and name, and says of each table
 * and column what the entries about it say. Undefined: no entry has conditions on statements.
 */
export function lookAtStatements(
  { levels }: Pick<Catalogue, 'levels'>,
  asked: readonly Asked[],
  read: ResourcesRead,
): { verdict: Verdict; resources: readonly ReadResource[] } | undefined {
  if (asked.every(({ entry }) => entry.ofStatements.length === 0)) return undefined
  const verdict = new Verdict(levels)
  const usual = new Verdict(levels)
  for (const { entry, match } of asked) {
    if (entry.ofStatements.length === 0) usual.apply(entry, match)
    verdict.apply(entry, weakest([match, ...entry.ofStatements.map((condition) => condition.match(read))]))
  }
  const { dataTypes, subjectClass } = usual.close('', [])
  const ofCall: Label = { level: undefined, dataTypes, subjectClass }
  const label = (resource: ReadResource): ReadResource =>
    resource.type === 'table' || resource.type === 'column'
      ? { ...resource, label: { ...ofCall, ...labelOf(levels, asked, resource) } }
      : resource
  return { verdict, resources: read.resources.map(label) }
}

function weakest(matches: readonly Match[]): Match {
  if (matches.includes('none')) return 'none'
  return matches.includes('some') ? 'some' : 'all'
}

/** Of one table or column alone: its entries one after the other, as those of a call. */
function labelOf(levels: readonly string[], asked: readonly Asked[], resource: ReadResource): Partial<Label> {
  const verdict = new Verdict(levels)
  for (const { entry, match } of asked) {
    const conditions = entry.ofStatements.flatMap((condition) => ('matchOne' in condition ? [condition] : []))
    // An entry about columns says nothing of their table.
    if (conditions.length === 0 || (resource.type === 'table' && conditions.some(({ type }) => type === 'column')))
      continue
    verdict.apply(entry, weakest([match, ...conditions.map(({ matchOne }) => matchOne(resource))]))
  }
  if (verdict.entries.length === 0) return {}
  const { level, dataTypes, subjectClass } = verdict.close('', [])
  return {
    level,
    ...(dataTypes.length === 0 ? {} : { dataTypes }),
    ...(subjectClass === undefined ? {} : { subjectClass }),
  }
}

import { isAbsent } from '@affidavit/evidence/record/absent'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import { type Assurance, assurances } from '@affidavit/evidence/record/kinds'
import { parseResources, type ResourcesSection } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { parseOpened } from './opened-section.ts'
import type { Sensitivity } from './priority.ts'

/** What the body of a request says that its priority depends on. */
export interface PriorityFacts {
  /** Where the scheme of levels is another one: the place of the level in it. */
  sensitivity: Sensitivity | undefined
  bound: 'bounded' | 'unbounded'
  assurance: Assurance
  posture: 'good' | 'doubtful'
}

/** Of a body that does not open: nothing is known, and nothing held against it. */
export const noPriorityFacts: PriorityFacts = {
  sensitivity: undefined,
  bound: 'bounded',
  assurance: 'attested',
  posture: 'good',
}

export function readPriorityFacts(sections: Sections): PriorityFacts {
  const resources = parseOpened(sections.resources, parseResources)
  return {
    sensitivity: resources?.basis?.place === undefined ? undefined : atPlace(resources.basis.place),
    bound: resources?.statements?.some(({ bound }) => bound === 'unbounded') === true ? 'unbounded' : 'bounded',
    assurance: assuranceOf(sections),
    posture: postureOf(sections),
  }
}

/** Of any scheme the highest level is what `restricted` is in the default one, and the next `confidential`. */
function atPlace({ rank, of }: NonNullable<NonNullable<ResourcesSection['basis']>['place']>): Sensitivity {
  const below = of - 1 - rank
  if (below === 0) return 'restricted'
  return below === 1 && of > 2 ? 'confidential' : 'internal'
}

function assuranceOf(sections: Sections): Assurance {
  const identity = parseOpened(sections.identity, parseIdentity)
  if (identity === undefined) return noPriorityFacts.assurance
  const { agent, workload, user } = identity
  const best = [agent, workload, user].flatMap((actor) =>
    isAbsent(actor) ? [] : [assurances.indexOf(actor.assurance)],
  )
  return assurances[Math.min(...best)] ?? 'claimed'
}

/** A source that is configured, and gave nothing or nothing new. */
function postureOf(sections: Sections): PriorityFacts['posture'] {
  const posture = parseOpened(sections.environment, parseEnvironment)?.posture
  if (posture === undefined) return 'good'
  return isAbsent(posture) || posture.state === 'stale' || posture.failure !== undefined ? 'doubtful' : 'good'
}

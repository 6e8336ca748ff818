import type { Corroboration, Sighting } from '../query/sqlite/sightings.ts'

/** A sighting as JSON has it. */
export function toSightingObject({ vantage, reported, countsAt, differences, others, possible }: Sighting) {
  return {
    vantage,
    ...(reported === undefined ? {} : { reported }),
    ...(countsAt === undefined ? {} : { countedAs: countsAt.callId, differences }),
    corroboratedBy: others.map(toCorroborationObject),
    possiblySame: possible.map(({ callId }) => callId),
  }
}

function toCorroborationObject({ place, vantage, reported, differences }: Corroboration) {
  const leaves = { requested: place.leaf, completed: place.completedLeaf ?? null }
  return { id: place.callId, vantage, ...(reported === undefined ? {} : { reported }), leaves, differences }
}

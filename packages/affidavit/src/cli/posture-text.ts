import { isAbsent } from '@affidavit/evidence/record/absent'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { parseOpened } from '../query/opened-section.ts'
import { formatAge } from './format.ts'

const signalsShown = 6

/** `fresh, 2 s old, claimed by file: disk.encrypted true`; undefined where no source of it is configured. */
export function describePosture(sections: Sections): string | undefined {
  const posture = parseOpened(sections.environment, parseEnvironment)?.posture
  if (posture === undefined) return undefined
  if (isAbsent(posture)) return `not known: ${posture.absent}`
  const { state, ageMs, source, signals, omitted, failure } = posture
  const hidden = signals.length - Math.min(signals.length, signalsShown) + omitted
  const shown = signals.slice(0, signalsShown).map(({ name, value }) => `${name} ${value}`)
  return [
    `${state}, ${formatAge(ageMs)} old, claimed by ${source}: ${[...shown, ...(hidden === 0 ? [] : [`and ${hidden} more`])].join(', ')}`,
    ...(failure === undefined ? [] : [`it gave nothing newer: ${failure}`]),
  ].join('; ')
}

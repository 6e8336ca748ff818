import { isAbsent } from '@affidavit/evidence/record/absent'
import { type Purpose, parsePurpose } from '@affidavit/evidence/record/purpose-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { parseOpened } from './opened-section.ts'

/** What the call is said to be for; undefined where nothing is declared, or the section is not open. */
export function readPurpose(sections: Sections): Purpose | undefined {
  const section = parseOpened(sections.purpose, parsePurpose)
  return section === undefined || isAbsent(section) ? undefined : section
}

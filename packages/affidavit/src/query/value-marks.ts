import { parseOutput } from '@affidavit/evidence/record/output-section'
import { parseResources } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { ValueMarks } from '@affidavit/evidence/record/value-marks'
import { parseOpened } from './opened-section.ts'

/** Marks of the values that a call gave out, and of those that were handed to it, as its `completed` record has them. */
export interface CallMarks {
  read: ValueMarks | undefined
  sent: ValueMarks | undefined
}

export function readCallMarks(sections: Sections): CallMarks {
  return {
    read: parseOpened(sections.output, parseOutput)?.values,
    sent: parseOpened(sections.resources, parseResources)?.values,
  }
}

/** As the index has them: four bytes of the key's id, then the mark's twelve. Each once. */
export function toMarkBytes(marks: ValueMarks | undefined): Buffer[] {
  const all = marks?.places.flatMap((place) => place.marks) ?? []
  return [...new Set(all)].map((mark) =>
    Buffer.concat([Buffer.from(marks?.key ?? '', 'hex'), Buffer.from(mark, 'base64')]),
  )
}

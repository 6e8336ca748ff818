import type { Classification } from '@affidavit/evidence/record/header'
import { encodeResources, type Resource } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText } from '@affidavit/evidence/record/text'
import type { ValueMarks } from '@affidavit/evidence/record/value-marks'
import type { Named } from '../classify/extract/named.ts'
import type { CaptureContext } from './context.ts'

const nameBytesMax = 1024
/** Names of a schema are kept at every level, as keys are; what may be a value is not kept at level `metadata`. */
const schemaTypes: readonly string[] = ['table', 'column']

/** The name of a resource as a section holds it: redacted and clipped; at level `metadata` a keyed digest, where it may be a value. */
export function keepResourceName(
  { redactor, digest, level }: Pick<CaptureContext, 'redactor' | 'digest' | 'level'>,
  { type, name, mayBeValue }: Named,
): string {
  if (level === 'metadata' && (!schemaTypes.includes(type) || mayBeValue?.() === true)) return digest(name)
  return clipText(redactor.redactText(name).text, nameBytesMax)
}

/** As many as the section takes; what comes after them is counted. */
const resourcesMax = 256

/** What a call touched, as somebody says who knows more than the messages tell: the server's own code. */
export interface Accessed {
  resources: Resource[]
  omitted: number
  classification: Classification | undefined
  /** Of the values that were handed over with it. */
  values?: ValueMarks | undefined
}

export function noteResource(accessed: Accessed, resource: Resource): void {
  if (accessed.resources.length < resourcesMax) accessed.resources.push(resource)
  else accessed.omitted++
}

/** Section `resources`, where there is anything to say. */
export function accessedSections({ resources, omitted, values }: Accessed): Sections {
  if (resources.length === 0 && values === undefined) return {}
  return { resources: encodeResources({ resources, omitted, ...(values === undefined ? {} : { values }) }) }
}

/** What is left of it where the record would not fit: how many there were. */
export function minimalAccessed({ resources, omitted }: Accessed): Sections {
  if (resources.length === 0) return {}
  return { resources: encodeResources({ resources: [], omitted: omitted + resources.length }) }
}

import type { Resource } from '@affidavit/evidence/record/resources-section'
import { resourceTypes } from '@affidavit/evidence/record/resources-section'
import { clipText } from '@affidavit/evidence/record/text'
import { keepResourceName, noteResource } from '../capture/accessed.ts'
import type { CaptureContext } from '../capture/context.ts'
import type { Served } from '../capture/sdk/connection.ts'
import { warn } from './warn.ts'

/** Something the call touched. Longer texts than a record takes are cut. */
export interface TouchedResource {
  type: Resource['type']
  /** Of the table, column (`table.column`), path, … */
  name: string
  /** What kinds of data it holds, e.g. `email`, `card`. */
  dataTypes?: readonly string[]
  /** Rows or items of it that were returned or changed. */
  rows?: number
  /** Whose data it is, as a class: `customer`, `patient`, … */
  subjectClass?: string
  /** Level of its classification. */
  level?: string
}

/** The call that a handler serves, and what only the server knows of it. Nothing here ever throws or waits. */
export interface AuditedCall {
  /** Id of the call's records; see sqlComment and callHeaders. */
  readonly callId: string
  /** To be said before the handler returns: it is recorded with the outcome, in section `resources`. */
  addResource(resource: TouchedResource): void
  /** Classification of the data that the call touched, where the handler knows it better than the request told. */
  classify(classification: { level: string; tags?: readonly string[] }): void
}

const source = 'server-hook'
const wordBytesMax = 64
const tagsMax = 16
const typesMax = 32

type Keeping = Pick<CaptureContext, 'redactor' | 'digest' | 'level'>

export function toAuditedCall({ call, isOpen, context }: Served): AuditedCall {
  const note = (say: () => void) => {
    if (isOpen()) say()
    else warn('AFD_RESOURCE_LATE', 'a handler named data of a call whose outcome was recorded already')
  }
  return {
    callId: call.callId,
    addResource: (resource) =>
      note(() => {
        const kept = keepResource(resource, { ...context, level: call.level })
        if (kept !== undefined) noteResource(call.accessed, kept)
        else
          warn(
            'AFD_RESOURCE_INVALID',
            `a handler named data without a name, or of no type of ${resourceTypes.join(', ')}`,
          )
      }),
    classify: ({ level, tags = [] }) =>
      note(() => {
        const kept = keepWords([level], context)[0]
        if (kept !== undefined)
          call.accessed.classification = { level: kept, tags: keepWords(tags, context).slice(0, tagsMax) }
      }),
  }
}

function keepResource(resource: TouchedResource, context: Keeping): Resource | undefined {
  const { type, name, dataTypes = [], rows, subjectClass, level } = resource
  if (!resourceTypes.includes(type) || typeof name !== 'string' || name === '') return undefined
  const [ofWhom] = keepWords([subjectClass], context)
  const [itsLevel] = keepWords([level], context)
  return {
    type,
    name: keepResourceName(context, { type, name }),
    dataTypes: keepWords(dataTypes, context).slice(0, typesMax),
    ...(isCount(rows) ? { rows } : {}),
    ...(ofWhom === undefined ? {} : { subjectClass: ofWhom }),
    ...(itsLevel === undefined ? {} : { level: itsLevel }),
    source,
  }
}

function keepWords(words: readonly unknown[], { redactor }: Keeping): string[] {
  return words.flatMap((word) =>
    typeof word === 'string' && word !== '' ? [clipText(redactor.redactText(word).text, wordBytesMax)] : [],
  )
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

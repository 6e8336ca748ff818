import { byMember, type Check, object } from './shape.ts'
import { shortText } from './text.ts'

/** What is not known is said, with the reason: `{ "absent": "stdio carries no token" }`. */
export interface Absent {
  absent: string
}

const absent = object({ absent: shortText })

/** Either what `check` accepts or an Absent. */
export function orAbsent(check: Check): Check {
  return byMember('absent', absent, check)
}

export function isAbsent(value: object): value is Absent {
  return Object.hasOwn(value, 'absent')
}

import type { RuleClass } from './rule.ts'

/** A user's rule, compiled on RE2's algorithm: linear whatever its pattern. */
export interface UserRule {
  id: string
  class: RuleClass
  find: (text: string) => readonly { start: number; end: number }[]
  /** Whether the value of a member or header of this name goes as a whole. */
  isKey: (name: string) => boolean
  /** Whether the value at this place goes as a whole; keys and array indexes from the outermost. */
  isPath: (path: readonly string[]) => boolean
  hasPaths: boolean
}

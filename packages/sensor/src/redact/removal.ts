import type { KeyedDigest } from '@affidavit/evidence/record/header'

/** One removed value. The list goes into section `environment` as `redactions`. */
export interface Removal {
  /** JSON Pointer (RFC 6901) to the string or number it stood in; keys in it are redacted too. Empty for plain text. */
  path: string
  /** Id of the rule that matched, as in the marker `[REDACTED:rule]`. */
  rule: string
  /** UTF-8 bytes of the removed value, after every encoding around it was undone. */
  bytes: number
  /** Of those bytes under the correlation key; absent where the value is too short or too regular to resist guessing. */
  digest?: KeyedDigest
}

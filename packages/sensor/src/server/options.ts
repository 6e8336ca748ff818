import type { CaptureLevel, Effect } from '@affidavit/evidence/record/kinds'

/** How calls are recorded. What is left out is as with `affidavit run`. */
export interface AuditOptions {
  /** Name of the server in the records, the same as everywhere else it is recorded; at most 256 bytes. */
  serverName: string
  /** Home folder. Default: AFFIDAVIT_HOME, else the XDG data folder. */
  home?: string
  /** Default `arguments`. */
  level?: CaptureLevel
  /** Effect classes whose calls pass unrecorded, under a recorded gap, when they cannot be recorded. Default: none. */
  failOpen?: readonly Effect[]
  /** `patterns`: path of a YAML file (docs/REDACTION.md). Its packages re2js, yaml and zod are loaded only where it, or a catalogue, is given. */
  redact?: { patterns?: string }
  /** Files of a catalogue (docs/CATALOGUE.md), applied after the starter catalogue unless `starter` is false. `values`: docs/VALUES.md. */
  catalogue?: { files?: readonly string[]; starter?: boolean; values?: string }
  limits?: { spoolBytes?: number }
  /**
   * Program and arguments of a collector, started where none runs on this home; ` --home DIR` is appended. Default `none`:
   * records stay in the spool until a collector runs there.
   */
  collector?: 'none' | readonly string[]
}

const levels: readonly unknown[] = ['metadata', 'arguments', 'full']
const effects: readonly unknown[] = ['write', 'read', 'unknown']

/** Throws TypeError, with the option's name and what it takes: callers in JavaScript have no compiler that says so. */
export function verifyOptions({ serverName, level, failOpen }: AuditOptions): void {
  if (typeof serverName !== 'string' || serverName === '') throw wrong('serverName', 'a name that is not empty')
  if (level !== undefined && !levels.includes(level)) throw wrong('level', levels.join(', '))
  if (failOpen?.some((effect) => !effects.includes(effect)) === true) throw wrong('failOpen', effects.join(', '))
}

function wrong(option: string, takes: string): TypeError {
  return new TypeError(`affidavit: option ${option} takes ${takes}`)
}

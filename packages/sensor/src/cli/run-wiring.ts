import { UsageError } from './usage-error.ts'

export interface RunWiring {
  /** Program and arguments of the collector; ` --home DIR` is appended. Absent: `--collector` is required. */
  startCollector?: readonly string[]
}

/** Throws UsageError `AFD_NO_COLLECTOR` where records would never be collected and nobody said that this is meant. */
export function requireCollector(collector: string | undefined, { startCollector }: RunWiring): void {
  if (collector === 'none' || (collector === undefined && startCollector !== undefined)) return
  if (collector !== undefined)
    throw new UsageError(
      'AFD_NO_COLLECTOR',
      '--collector is not none: this version reaches collectors on the same machine only',
      "Leave it out and use 'affidavit', or give --collector none to keep records in the spool.",
    )
  throw new UsageError(
    'AFD_NO_COLLECTOR',
    'affidavit-sensor brings no collector of its own',
    "Use 'affidavit', or give --collector none: records then wait in the spool until a collector runs on this home.",
  )
}

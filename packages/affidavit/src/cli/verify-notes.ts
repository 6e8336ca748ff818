import type { LogFindings } from '@affidavit/evidence/verify/verify-log'
import type { Spool } from './verify-spool.ts'

export interface Noted {
  spool: Spool
  findings: LogFindings
  /** Acknowledged records that no checkpoint covers. */
  waiting: number
  /** Entries that are sequenced and under no checkpoint. */
  unpublished: number
  indexed: number | undefined
  /** Keys that are not there, and that nothing recorded so far needed. */
  absentKeys: readonly string[]
  looseKeys: readonly string[]
}

/** Sentences about what is no contradiction and should be known all the same. */
export function listNotes({ spool, findings, waiting, unpublished, indexed, absentKeys, looseKeys }: Noted): string[] {
  const torn = [...spool.streams.values()].filter(({ tornBytes }) => tornBytes > 0)
  const { entries, gapsOpen, missingInGaps } = findings.counts
  return [
    ...(waiting > 0
      ? [`${waiting} acknowledged records are in the spool and not in the log: only their own stream protects them`]
      : []),
    ...(unpublished > 0 ? [`${unpublished} entries are sequenced and under no checkpoint yet`] : []),
    ...torn.map(
      ({ streamId, tornBytes }) => `stream ${streamId} ends in ${tornBytes} bytes that were never acknowledged`,
    ),
    ...(gapsOpen > 0 ? [`${gapsOpen} gaps are open: calls passed unrecorded, and nobody has said yet how many`] : []),
    ...(missingInGaps > 0 ? [`closed gaps admit to ${missingInGaps} messages that were not recorded`] : []),
    ...(indexed !== undefined && indexed < entries ? [`the index has read ${indexed} of ${entries} entries`] : []),
    ...(absentKeys.length > 0 ? [`not there, and nothing recorded here needed it yet: ${absentKeys.join(', ')}`] : []),
    ...looseKeys,
  ]
}

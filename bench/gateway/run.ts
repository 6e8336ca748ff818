import type { Contestant, Name, Setting } from './contestants.ts'
import type { CallJob, CallResult, ReadJob, ReadResult } from './jobs.ts'
import type { Generator } from './processes.ts'

/** What every measure of one run works with. */
export interface Run {
  /** Contestants that take part, in the order of the tables. */
  names: readonly Name[]
  /** Of the echo server. */
  setting: Setting
  /** Of the server that streams. */
  streaming: Setting
  /** Of the echo server. */
  serverPid: number
  calls: Generator<CallJob, CallResult>
  reads: Generator<ReadJob, ReadResult>
  /** Starts contestants in front of the echo server. */
  start(names: readonly Name[]): Promise<Contestant[]>
  /** Whether the slow and large variants were asked for. */
  isFull: boolean
}

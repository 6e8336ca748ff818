import { isAbsent } from '@affidavit/evidence/record/absent'
import { type Connection, type ProcessFacts, parseEnvironment } from '@affidavit/evidence/record/environment-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { parseOpened } from './opened-section.ts'

/** Where a record was made, as its opened section `environment` says; what is absent there is absent here. */
export interface Surroundings {
  /** Name of the machine or container. */
  host?: string
  /** Of the process that made the record. */
  sensorPid?: number
  /** Of the process that started it. */
  clientPid?: number
  /** Of the process that it started. */
  serverPid?: number
  network: readonly Connection[]
}

/** Undefined where the section is not there, not open, or of another shape; verification is who reports that. */
export function readSurroundings(sections: Sections): Surroundings | undefined {
  const section = parseOpened(sections.environment, parseEnvironment)
  if (section === undefined) return undefined
  const { host, processes, network } = section
  const { sensor, client, server } = isAbsent(processes) ? {} : processes
  return {
    ...(isAbsent(host) || host.name === undefined ? {} : { host: host.name }),
    ...pidOf('sensorPid', sensor),
    ...pidOf('clientPid', client),
    ...pidOf('serverPid', server),
    network: Array.isArray(network) ? network : [],
  }
}

function pidOf<Name extends string>(name: Name, process: ProcessFacts | object | undefined): { [K in Name]?: number } {
  const found: { [K in Name]?: number } = {}
  if (process !== undefined && 'pid' in process) found[name] = process.pid
  return found
}

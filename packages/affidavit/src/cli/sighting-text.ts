import type { Connection } from '@affidavit/evidence/record/environment-section'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Terminal } from '@affidavit/sensor/cli/terminal'
import type { CallPlace } from '../query/sqlite/search.ts'
import { type Difference, isDisagreement, type Sighting } from '../query/sqlite/sightings.ts'
import { formatEnd } from './format.ts'

/** From where a call was seen, what corroborates it, and what speaks against it, for a person. */
export function* sightingLines(
  { vantage, reported, countsAt, differences, others, possible }: Sighting,
  terminal: Terminal,
): Generator<{ name: string; text: string }> {
  yield { name: reported === undefined ? 'seen at' : 'told at', text: vantage }
  if (countsAt !== undefined) {
    const agreement = describeAgreement(differences, terminal)
    yield { name: 'counts as', text: `${describePlace(countsAt)}, with which it ${agreement}` }
  }
  for (const other of others) {
    const agreement = describeAgreement(other.differences, terminal)
    const name = other.reported === undefined ? 'also seen at' : 'reported at'
    yield { name, text: `${other.vantage}, ${describePlace(other.place)}: ${agreement}` }
  }
  for (const place of possible)
    yield {
      name: 'maybe also',
      text: `${describePlace(place)}: nothing proves that it is the same call, so both count`,
    }
}

function describePlace({ callId, leaf, completedLeaf }: CallPlace): string {
  return `${callId} (leaf:${leaf}${completedLeaf === undefined ? '' : `, leaf:${completedLeaf}`})`
}

const fieldNames: Record<Difference['field'], string> = {
  outcome: 'outcome',
  httpStatus: 'HTTP status',
  rpcCode: 'error code',
  tool: 'tool',
  toolDigest: 'name digest',
  toolDefinition: 'definition of the tool',
  inputBytes: 'request bytes',
  responseBytes: 'response bytes',
}

function describeAgreement(differences: readonly Difference[], terminal: Terminal): string {
  if (differences.length === 0) return terminal.paint('green', 'agrees')
  const texts = differences.map(
    ({ field, counted, other }) =>
      `${fieldNames[field]} ${toPrintable(String(other))}, not ${toPrintable(String(counted))}`,
  )
  const isDisputed = differences.some(isDisagreement)
  return `${terminal.paint(isDisputed ? 'red' : 'yellow', isDisputed ? 'DISAGREES' : 'measured otherwise')}: ${texts.join('; ')}`
}

/** `tcp client 127.0.0.1:40100 to us at 127.0.0.1:7332` */
export function describeConnection(connection: Connection): string {
  const { peer, protocol, localAddress, localPort, remoteAddress, remotePort } = connection
  const [here, there] = [formatEnd(localAddress, localPort), formatEnd(remoteAddress, remotePort)]
  return peer === 'client'
    ? `${protocol} from client ${there} to ${here}`
    : `${protocol} from ${here} to server ${there}`
}

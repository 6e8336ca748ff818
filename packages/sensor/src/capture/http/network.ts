import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Absent } from '@affidavit/evidence/record/absent'
import type { Connection } from '@affidavit/evidence/record/environment-section'

const known = new WeakMap<Socket, Connection[] | Absent>()

/**
 * The connection to a peer, as our kernel saw it. Read once: a connection does not change, and one that is closed does not
 * tell any more.
 */
export function connectionOf(socket: Socket, peer: Connection['peer']): Connection[] | Absent {
  const before = known.get(socket)
  if (before !== undefined) return before
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  const isTold =
    localAddress !== undefined && localPort !== undefined && remoteAddress !== undefined && remotePort !== undefined
  const told: Connection[] | Absent = isTold
    ? [{ peer, protocol: 'tcp', localAddress, localPort, remoteAddress, remotePort }]
    : { absent: 'the connection was closed before it was looked at, or is no TCP' }
  known.set(socket, told)
  return told
}

const answeredOn = new WeakMap<IncomingMessage, Connection[] | Absent>()

/** To be called as soon as an answer begins: Node takes its connection away from an answer that is complete. */
export function noteConnection(incoming: IncomingMessage): void {
  answeredOn.set(incoming, connectionOf(incoming.socket, 'server'))
}

/** The connection an answer came on; undefined where it is not known. */
export function notedConnection(incoming: IncomingMessage): Connection[] | undefined {
  const noted = answeredOn.get(incoming)
  return Array.isArray(noted) ? noted : undefined
}

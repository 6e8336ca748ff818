import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import { IngestProblem } from './problem.ts'

export type Admit = (req: IncomingMessage) => void

/**
 * Who may report. With tokens: whoever presents one of them (RFC 6750), compared in constant time. Without: processes on
 * this machine, but no web page: a browser names the page's origin with every POST, even to a name that an attacker made
 * point here. The function throws IngestProblem `AFD_INGEST_UNAUTHORIZED`.
 */
export function createAdmit(tokens: readonly string[]): Admit {
  const accepted = tokens.map(hashOf)
  if (accepted.length === 0) return admitLocal
  return ({ headers }) => {
    const [, token] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
    const given = hashOf(token ?? '')
    // All of them, so that the time says nothing about which.
    const fits = accepted.filter((each) => timingSafeEqual(each, given))
    if (token === undefined || fits.length === 0)
      throw unauthorized('a bearer token that this receiver accepts is needed')
  }
}

function admitLocal({ socket, headers }: IncomingMessage): void {
  if (!isLoopback(socket.remoteAddress ?? '')) throw unauthorized('without a token only this machine may report')
  if (headers.origin !== undefined) throw unauthorized('web pages may not report')
}

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

/** Hashes have one length, whatever was sent. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function unauthorized(message: string): IngestProblem {
  return new IngestProblem('AFD_INGEST_UNAUTHORIZED', '', message)
}

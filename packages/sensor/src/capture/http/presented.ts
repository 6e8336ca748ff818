import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { headerOf, type RawHeaders } from './raw-headers.ts'

/** What a connection and the header fields say about where a request was sent, and about who holds the other end. */

/**
 * Origins that the client may have meant. Where something in front ends TLS, only the client knows by which scheme it came;
 * where TLS ends here, there is no other.
 */
export function originsOf(rawHeaders: RawHeaders, socket: Socket): string[] {
  const host = headerOf(rawHeaders, 'host') ?? ''
  const schemes = socket instanceof TLSSocket ? ['https'] : ['https', 'http']
  return schemes
    .map((scheme) => `${scheme}://${host}`)
    .flatMap((url) => (URL.canParse(url) ? [new URL(url).origin] : []))
}

const thumbprints = new WeakMap<Socket, string | undefined>()

/**
 * SHA-256 of the client's certificate (RFC 8705 §3.1), whose private key the handshake proved. Nobody vouches for what else it
 * says. Undefined: the connection shows none. Read once for each connection.
 */
export function certificateOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  if (thumbprints.has(socket)) return thumbprints.get(socket)
  // Node says {} where there is none, whatever its types say.
  const { raw }: { raw?: Buffer } = socket.getPeerCertificate()
  const thumbprint = raw === undefined ? undefined : createHash('sha256').update(raw).digest('base64url')
  thumbprints.set(socket, thumbprint)
  return thumbprint
}

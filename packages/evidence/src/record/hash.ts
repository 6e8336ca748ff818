import type { Sha256 } from './crypto.ts'
import type { StreamHead } from './header.ts'

const utf8 = new TextEncoder()
const headerDomain = utf8.encode('affidavit/v1 header\n')

/** Hash that `prev`, `requestedHash` and stream heads name: 32 bytes over the header line as written. */
export function hashHeader(sha256: Sha256, header: Uint8Array): Uint8Array {
  return sha256(headerDomain, header)
}

/** What a sensor signs (Ed25519) at the end of every group commit: the head of its stream, and through the chain all before it. */
export function encodeCommitMessage(head: StreamHead): Uint8Array {
  return utf8.encode(`affidavit/v1 commit\n${head.streamId}\n${head.seq}\n${head.hash}\n`)
}

import type { StreamHead } from './header.ts'

const utf8 = new TextEncoder()
const headerDomain = utf8.encode('affidavit/v1 header\n')

/** Hash that `prev`, `requestedHash` and stream heads name, over the header line as written: 32 bytes, or their text. */
export function hashHeader<T>(sha256: (...parts: Uint8Array[]) => T, header: Uint8Array): T {
  return sha256(headerDomain, header)
}

/** What a sensor signs (Ed25519) at the end of every group commit: the head of its stream, and through the chain all before it. */
export function encodeCommitMessage(head: StreamHead): Uint8Array {
  return utf8.encode(`affidavit/v1 commit\n${head.streamId}\n${head.seq}\n${head.hash}\n`)
}

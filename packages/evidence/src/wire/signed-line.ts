import { fromBase64, toBase64 } from '../record/base64.ts'

/** A document of one line and an Ed25519 signature over it, as files hold them: the line, LF, the signature in base64, LF. */
export interface SignedLine {
  line: Uint8Array
  /** 64 bytes; of whom, and whether it is good, is to be verified. */
  signature: Uint8Array
}

/** Ed25519 by whoever has it: Node's, or the browser's. */
export type VerifyLineSignature = (message: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>

const signatureText = /^[A-Za-z0-9+/]{85}[AQgw]==$/

/** What is signed of a line: a domain and the line, so that no signature made for something else fits. */
export function withDomain(domain: string, line: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`${domain}\n`)
  const message = new Uint8Array(head.length + line.length)
  message.set(head)
  message.set(line, head.length)
  return message
}

export function encodeSignedLine({ line, signature }: SignedLine): Uint8Array {
  const tail = new TextEncoder().encode(`\n${toBase64(signature)}\n`)
  const file = new Uint8Array(line.length + tail.length)
  file.set(line)
  file.set(tail, line.length)
  return file
}

/** Inverse of encodeSignedLine; a sentence where the file is nothing of the kind. */
export function parseSignedLine(file: Uint8Array, lineBytesMax: number): SignedLine | string {
  const end = file.indexOf(0x0a)
  if (end < 0 || file.length > lineBytesMax + 128) return 'there is one line, or it is too long'
  const [encoded = '', rest] = new TextDecoder().decode(file.subarray(end + 1)).split('\n', 2)
  if (rest !== '') return 'the signature does not end in LF'
  if (!signatureText.test(encoded)) return 'the signature is not 64 bytes in base64'
  return { line: file.subarray(0, end), signature: fromBase64(encoded, 'signature') }
}

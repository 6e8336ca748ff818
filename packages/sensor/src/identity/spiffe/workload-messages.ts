import { bytesOf, encodeBytes, readFields, WireError } from '../protobuf.ts'

/** Messages of the SPIFFE Workload API (workloadapi.proto), as far as they are used. Those that come throw WireError. */

export interface X509SvidMessage {
  spiffeId: string
  /** Concatenated DER, the leaf first. */
  chain: Uint8Array
  /** PKCS#8; the bytes of the message itself, for whoever reads it to zero them. */
  key: Uint8Array
  /** Concatenated DER. */
  bundle: Uint8Array
}

export interface JwtSvidMessage {
  spiffeId: string
  svid: string
}

const svidsMax = 64
const textOf = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

/** Of a workload that has several the first is the default one (§5.3). */
export function parseX509SvidResponse(bytes: Uint8Array): X509SvidMessage[] {
  return membersOf(bytes, 1).map((member) => {
    const message: X509SvidMessage = {
      spiffeId: textOf(fieldOf(member, 1)),
      chain: fieldOf(member, 2),
      key: fieldOf(member, 3),
      bundle: fieldOf(member, 4),
    }
    // §4.5: one that lacks what is mandatory is discarded, and not read as empty.
    if (Object.values(message).some(({ length }) => length === 0)) throw new WireError('a mandatory field is empty')
    return message
  })
}

export function parseJwtSvidResponse(bytes: Uint8Array): JwtSvidMessage[] {
  return membersOf(bytes, 1).map((member) => {
    const message = { spiffeId: textOf(fieldOf(member, 1)), svid: textOf(fieldOf(member, 2)) }
    if (message.spiffeId === '' || message.svid === '') throw new WireError('a mandatory field is empty')
    return message
  })
}

export function encodeJwtSvidRequest(audience: string): Uint8Array {
  return encodeBytes(1, Buffer.from(audience))
}

function membersOf(bytes: Uint8Array, number: number): Uint8Array[] {
  const members = [...readFields(bytes)].filter((field) => field.number === number).map(bytesOf)
  if (members.length === 0 || members.length > svidsMax) throw new WireError('none, or more than anybody needs')
  return members
}

/** The last one counts, and a field that is not there is empty (proto3). */
function fieldOf(bytes: Uint8Array, number: number): Uint8Array {
  const field = [...readFields(bytes)].findLast((each) => each.number === number)
  return field === undefined ? new Uint8Array(0) : bytesOf(field)
}

import { hashLeaf } from '../log/hash.ts'
import type { Sha256 } from '../record/crypto.ts'
import { splitEntry } from '../record/entry.ts'
import type { Envelope } from '../record/envelope.ts'
import { parseEnvelope } from '../record/envelope-bytes.ts'
import { RecordError } from '../record/error.ts'
import { hashHeader } from '../record/hash.ts'
import type { Header } from '../record/header.ts'
import { parseHeader } from '../record/header-bytes.ts'
import type { Outcome } from '../record/kinds.ts'
import { decodeEntries } from './examine.ts'
import { type Form, matchForm, toEnvelopeForm, toHeaderForm } from './form.ts'

/** What of an entry ties it to others. Hashes and signatures are ASCII base64 as they stand in the line. */
export interface Link {
  readonly tenant: string
  readonly streamId: string
  readonly seq: number
  readonly prev: Uint8Array | undefined
  readonly headerHash: Uint8Array
  readonly call: LinkedCall | undefined
  /** The header, where it is not one of a call: stream, gap and epoch records say more than links. */
  readonly header: Header | undefined
  readonly signature: Uint8Array | undefined
}

export interface LinkedCall {
  readonly callId: string
  /** Undefined for `requested`. */
  readonly requestedHash: Uint8Array | undefined
  readonly outcome: Outcome | undefined
}

/** An entry as far as it can be judged alone. */
export type LinkedEntry = { readonly link: Link } | { readonly error: RecordError }

export interface LinkedBundle {
  readonly leafHashes: readonly Uint8Array[]
  readonly entries: readonly LinkedEntry[]
  /** Envelope of one of the entries; undefined where that does not parse. */
  readonly envelopeAt: (i: number) => Envelope | undefined
}

const utf8 = new TextEncoder()
const latin1 = new TextDecoder('latin1')
const newline = 0x0a
const formsMax = 32
const entryBytesMax = 8_192
const slotsMax = 64

type Lines = ReturnType<typeof splitEntry>

/** Memory of the forms seen lately; one per walk. */
export interface LinkReader {
  readonly sha256: Sha256
  readonly headers: { form: Form; header: Header }[]
  readonly envelopes: Form[]
  readonly bounds: Uint32Array
  readonly envelopeBounds: Uint32Array
}

export function createLinkReader(sha256: Sha256): LinkReader {
  const bounds = () => new Uint32Array(2 * slotsMax)
  return { sha256, headers: [], envelopes: [], bounds: bounds(), envelopeBounds: bounds() }
}

/** Hashes and reads one bundle. Throws VerifyError `bad_bundle`; an entry that does not parse is returned with its error. */
export function linkBundle(reader: LinkReader, bytes: Uint8Array, count: number): LinkedBundle {
  const entries = decodeEntries(bytes, count)
  return {
    leafHashes: entries.map((entry) => hashLeaf(reader.sha256, entry)),
    entries: entries.map((entry) => linkEntry(reader, entry)),
    envelopeAt: (i) => readEnvelope(entries[i] ?? new Uint8Array()),
  }
}

/** The link of an entry whose lines both parse, else the parser's error. */
export function linkEntry(reader: LinkReader, entry: Uint8Array): LinkedEntry {
  const link = entry.length > entryBytesMax ? undefined : linkByForm(reader, entry)
  if (link !== undefined) return { link }
  try {
    const lines = splitEntry(entry)
    const header = parseHeader(lines.header)
    const envelope = parseEnvelope(lines.envelope)
    learn(reader, { header, envelope }, lines)
    return { link: toLink(header, hashHeader(reader.sha256, lines.header), envelope) }
  } catch (error) {
    if (error instanceof RecordError) return { error }
    throw error
  }
}

/** Link of a parsed record; records in a spool have no envelope but may have a signature. */
export function toLink(header: Header, headerHash: Uint8Array, { signature }: Pick<Envelope, 'signature'>): Link {
  const { tenant, streamId, seq, prev } = header
  return {
    tenant,
    streamId,
    seq,
    prev: prev === undefined ? undefined : utf8.encode(prev),
    headerHash,
    call: toLinkedCall(header),
    header: 'stage' in header ? undefined : header,
    signature: signature === undefined ? undefined : utf8.encode(signature),
  }
}

function toLinkedCall(header: Header): LinkedCall | undefined {
  if (!('stage' in header)) return undefined
  const { callId } = header
  return header.stage === 'requested'
    ? { callId, requestedHash: undefined, outcome: undefined }
    : { callId, requestedHash: utf8.encode(header.requestedHash), outcome: header.outcome }
}

function linkByForm(reader: LinkReader, entry: Uint8Array): Link | undefined {
  const { headers, bounds, sha256 } = reader
  for (let i = 0; i < headers.length; i++) {
    const known = headers[i]
    const end = known === undefined ? -1 : matchForm(known.form, entry, 0, bounds)
    if (known === undefined || end < 0 || entry[end] !== newline) continue
    if (i > 1) bringForward(headers, i)
    const envelope = matchEnvelope(reader, entry, end + 1)
    if (envelope === undefined) return undefined
    const headerHash = hashHeader(sha256, entry.subarray(0, end))
    const signature = readSlot(envelope, 'signature', entry, reader.envelopeBounds)
    return toFormLink({ ...known, bounds, entry }, headerHash, signature)
  }
  return undefined
}

function matchEnvelope({ envelopes, envelopeBounds }: LinkReader, entry: Uint8Array, at: number): Form | undefined {
  return envelopes.find((form) => matchForm(form, entry, at, envelopeBounds) === entry.length)
}

interface Matched {
  form: Form
  header: Header
  bounds: Uint32Array
  entry: Uint8Array
}

function toFormLink(
  { form, header, bounds, entry }: Matched,
  headerHash: Uint8Array,
  signature: Uint8Array | undefined,
): Link {
  const slot = (path: string) => readSlot(form, path, entry, bounds)
  return {
    tenant: header.tenant,
    streamId: latin1.decode(slot('streamId')),
    seq: Number(latin1.decode(slot('seq'))),
    prev: slot('prev'),
    headerHash,
    call: {
      callId: latin1.decode(slot('callId')),
      requestedHash: slot('requestedHash'),
      outcome: 'outcome' in header ? header.outcome : undefined,
    },
    header: undefined,
    signature,
  }
}

function readSlot({ places }: Form, path: string, entry: Uint8Array, bounds: Uint32Array): Uint8Array | undefined {
  const place = places.get(path)
  return place === undefined ? undefined : entry.subarray(bounds[2 * place], bounds[2 * place + 1])
}

/** Requested and completed alternate: the first two places are as good as one. */
function bringForward<T>(list: T[], i: number): void {
  const [item] = list.splice(i, 1)
  if (item !== undefined) list.unshift(item)
}

function learn(
  { headers, envelopes, bounds }: LinkReader,
  parsed: { header: Header; envelope: Envelope },
  lines: Lines,
) {
  const { header, envelope } = parsed
  const fits = (form: Form, line: Uint8Array) =>
    form.slots.length <= slotsMax && matchForm(form, line, 0, bounds) === line.length
  const form = headers.some((known) => fits(known.form, lines.header)) ? undefined : toHeaderForm(header)
  // A line that does not match its own form (a number of 16 digits, an escaped name) is one for the parser every time.
  if (form !== undefined && fits(form, lines.header)) headers.unshift({ form, header })
  headers.length = Math.min(headers.length, formsMax)
  if (envelopes.some((known) => fits(known, lines.envelope))) return
  envelopes.unshift(toEnvelopeForm(envelope))
  envelopes.length = Math.min(envelopes.length, formsMax)
}

function readEnvelope(entry: Uint8Array): Envelope | undefined {
  try {
    return parseEnvelope(splitEntry(entry).envelope)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}

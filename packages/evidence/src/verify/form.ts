import type { Envelope } from '../record/envelope.ts'
import type { Header } from '../record/header.ts'
import {
  clockSlot, countSlot, hashSlot, integerSlot, nameSlot, referenceSlot, type Slot, signatureSlot, uuidSlot,
} from './slot.ts' // biome-ignore format: one list

/**
 * Millions of lines are alike but for ids, hashes, numbers and clock times. A form is a line that a strict parser
 * accepted, cut at those parts: another line that has the same bytes between them, and parts that are right by
 * themselves, would be accepted too, because no rule of the record ties their values together. Whatever a form does not
 * match goes to the parser, so a form can save time and decide nothing.
 */
export interface Form {
  readonly pieces: readonly Uint8Array[]
  readonly slots: readonly Slot[]
  /** Position among the slots, by path (`seq`, `sections.input`). */
  readonly places: ReadonlyMap<string, number>
}

const utf8 = new TextEncoder()
const headerSlots: Record<string, Slot> = {
  streamId: uuidSlot,
  seq: countSlot,
  prev: hashSlot,
  monotonicUs: integerSlot,
  callId: uuidSlot,
  callGroupId: uuidSlot,
  requestedHash: hashSlot,
  inputBytes: integerSlot,
  responseBytes: integerSlot,
  latencyUs: integerSlot,
}
/** Cut into what stays and what differs: `<stays><differs>`, and the rest. */
const splitTime = /^(\d{4}-\d\d-\d\dT)(.{12})(Z)$/
const splitDigest = /^([0-9a-f]{8}:)(.{44})()$/
const splitReference = /^([sc]_)([0-9a-f]{16})()$/

interface Draft {
  text: string
  pieces: Uint8Array[]
  slots: Slot[]
  places: Map<string, number>
}

/** Form of a `requested` or `completed` header that is not a stream's first record; undefined for every other. */
export function toHeaderForm(header: Header): Form | undefined {
  if (!('stage' in header) || header.prev === undefined) return undefined
  return toForm(header, (path, value) => findHeaderSlot(header, path, value))
}

export function toEnvelopeForm(envelope: Envelope): Form {
  return toForm(envelope, findEnvelopeSlot)
}

type FindSlot = (path: string, value: string | number) => { slot: Slot; split?: RegExp } | undefined

function findHeaderSlot(header: Header, path: string, value: string | number): ReturnType<FindSlot> {
  const slot = headerSlots[path]
  if (slot !== undefined) return { slot }
  if (path.startsWith('sections.')) return { slot: hashSlot }
  if (path === 'time') return { slot: clockSlot, split: splitTime }
  if (path === 'requestIdDigest') return { slot: hashSlot, split: splitDigest }
  if (path === 'sessionId' && 'sessionSource' in header && header.sessionSource === 'legacy-stdio')
    return { slot: uuidSlot }
  if (path === 'tool.definition' && value !== 'unlisted') return { slot: hashSlot }
  if (path === 'tool.name') return { slot: nameSlot }
  return undefined
}

function findEnvelopeSlot(path: string): ReturnType<FindSlot> {
  if (path === 'observedTime') return { slot: clockSlot, split: splitTime }
  if (path === 'subject' || path === 'credential') return { slot: referenceSlot, split: splitReference }
  if (path === 'enrichment') return { slot: hashSlot }
  return path === 'signature' ? { slot: signatureSlot } : undefined
}

function toForm(value: object, find: FindSlot): Form {
  const draft: Draft = { text: '', pieces: [], slots: [], places: new Map() }
  write(draft, value, '', find)
  return { ...draft, pieces: [...draft.pieces, utf8.encode(draft.text)] }
}

/** Writes canonical JSON (RFC 8785) of a value that the parser accepted, cutting at its slots. */
function write(draft: Draft, value: unknown, path: string, find: FindSlot): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    let separator = '{'
    for (const [key, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
      draft.text += `${separator}${JSON.stringify(key)}:`
      write(draft, member, path === '' ? key : `${path}.${key}`, find)
      separator = ','
    }
    draft.text += separator === '{' ? '{}' : '}'
    return
  }
  const found = typeof value === 'string' || typeof value === 'number' ? find(path, value) : undefined
  if (found === undefined) draft.text += JSON.stringify(value)
  else cut(draft, path, String(value), { ...found, quote: typeof value === 'string' ? '"' : '' })
}

function cut(
  draft: Draft,
  path: string,
  value: string,
  { slot, split, quote }: { slot: Slot; split?: RegExp; quote: string },
) {
  const [, stays = '', , rest = ''] = split?.exec(value) ?? []
  draft.pieces.push(utf8.encode(`${draft.text}${quote}${stays}`))
  draft.places.set(path, draft.slots.length)
  draft.slots.push(slot)
  draft.text = `${rest}${quote}`
}

/**
 * Matches a form from `at` on. Returns where it ends, or −1; fills `bounds` with start and end of every slot. `bounds`
 * has room for twice as many numbers as the form has slots.
 */
export function matchForm({ pieces, slots }: Form, line: Uint8Array, at: number, bounds: Uint32Array): number {
  let position = at
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]
    if (piece === undefined || position + piece.length > line.length) return -1
    for (let j = 0; j < piece.length; j++) if (piece[j] !== line[position + j]) return -1
    position += piece.length
    const slot = slots[i]
    if (slot === undefined) continue
    const end = slot(line, position)
    if (end < 0) return -1
    bounds[2 * i] = position
    bounds[2 * i + 1] = end
    position = end
  }
  return position
}

import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'
import { clipText } from '@affidavit/evidence/record/text'
import { marksMax, type ValueMarks } from '@affidavit/evidence/record/value-marks'
import { undoEscapes } from '../classify/content/escapes.ts'
import { findSalient, type Salient } from '../classify/content/salient.ts'
import type { CaptureContext } from './context.ts'
import { bytesOf, type CapturedLine } from './line.ts'
import { decodeString, type ScannedMessage } from './message.ts'
import type { ResultReading } from './result-watch.ts'

/** Makes marks under the tenant's correlation key. */
export interface ValueMarker {
  /** As keyed digests name it. */
  keyId: string
  mark: (value: string) => string
}

const argumentBytesMax = 64 * 1024
const depthMax = 1_000_000
const pathBytesMax = 128
/** As many of each kind as are kept, the lightest; together they are what a record takes. */
const kept = { name: 64, passage: marksMax - 64 } as const
/** Held while a text is read: then those that are too many go. */
const heldMax = 512

/**
 * Of what an agent hands to a tool, whatever the tool is: values may leave by any. To be taken when the request is on its way to
 * disk, so that no call waits for it; recorded with the outcome. What goes wrong costs the marks, never the call.
 */
export function markRequest(
  context: CaptureContext,
  { line, message, method }: { line: CapturedLine; message: ScannedMessage; method: string },
): ValueMarks | undefined {
  const { marker, classifier, redactor, diagnose } = context
  if (marker === undefined || method !== 'tools/call' || classifier?.followsValues !== true) return undefined
  const json = bytesOf(line, message.spans.get('params.arguments'))
  if (json === undefined) return undefined
  try {
    return markArguments(marker, json, redactor)
  } catch (error) {
    const kind = error instanceof Error ? error.name : typeof error
    diagnose('AFD_VALUES_FAILED', `the values of a call could not be followed (${kind})`)
    return undefined
  }
}

/** Of a result's beginning. Undefined: there is nothing to find again in it. */
export function markResult(marker: ValueMarker, { head, bytes }: ResultReading): ValueMarks | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('utf8')
  const gathered = new Gathered(head.length < bytes ? 'some' : 'all')
  // Once for the message, once for texts in it that are JSON themselves.
  gathered.take(undoEscapes(undoEscapes(text)), '')
  return gathered.close(marker)
}

/** Of a call's arguments, each with the member that it stands in. Names of members are redacted, as their values may be in them. */
export function markArguments(
  marker: ValueMarker,
  json: Uint8Array,
  redactor: CaptureContext['redactor'],
): ValueMarks | undefined {
  const gathered = new Gathered(json.length > argumentBytesMax ? 'some' : 'all')
  let path = ''
  const take = ({ type, depth, raw }: JsonToken): void => {
    if (raw === undefined) return
    if (type === 'key' && depth === 1) path = `/${decodeString(raw).replaceAll('~', '~0').replaceAll('/', '~1')}`
    else if (type === 'string') gathered.take(undoEscapes(decodeString(raw)), path)
    else if (type === 'number') gathered.take(Buffer.from(raw).toString(), path)
  }
  const scanner = new JsonScanner(take, { depthMax, tokenBytesMax: argumentBytesMax })
  scanner.push(json.subarray(0, argumentBytesMax))
  return gathered.close(marker, (name) => clipText(redactor.redactText(name).text, pathBytesMax))
}

/** The lightest values of a text, in memory that does not grow with it. */
class Gathered {
  readonly #held = { name: new Map<string, Held>(), passage: new Map<string, Held>() }
  #kept: ValueMarks['kept']

  constructor(looked: ValueMarks['kept']) {
    this.#kept = looked
  }

  take(text: string, path: string): void {
    for (const { kind, value, weight } of findSalient(text)) {
      const held = this.#held[kind]
      if (!held.has(value)) held.set(value, { weight, path })
      if (held.size >= heldMax) this.#prune(kind)
    }
  }

  close(marker: ValueMarker, keepPath: (path: string) => string = (path) => path): ValueMarks | undefined {
    const places = new Map<string, string[]>()
    for (const kind of ['name', 'passage'] as const) {
      this.#prune(kind)
      for (const [value, { path }] of this.#held[kind]) {
        const marks = places.get(path) ?? []
        places.set(path, [...marks, marker.mark(value)])
      }
    }
    if (places.size === 0) return undefined
    return {
      key: marker.keyId,
      kept: this.#kept,
      places: [...places].map(([path, marks]) => ({ path: keepPath(path), marks })),
    }
  }

  #prune(kind: Salient['kind']): void {
    const held = this.#held[kind]
    if (held.size <= kept[kind]) return
    this.#kept = 'some'
    const lightest = [...held].sort(([, a], [, b]) => a.weight - b.weight).slice(0, kept[kind])
    held.clear()
    for (const [value, each] of lightest) held.set(value, each)
  }
}

interface Held {
  weight: number
  path: string
}

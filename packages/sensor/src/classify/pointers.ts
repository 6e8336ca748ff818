import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'

/** The values that an argument has, all of them: a pointer may hold `*`, a list may stand in its place, keys may come twice. */
export interface Values {
  /** Strings decoded, other scalars as they are written. */
  texts: string[]
  /** How many there are besides, which were too many or too long to be looked at. */
  unread: number
}

/** JSON pointers (RFC 6901) in one tree, so that all of them are followed in one pass. `*` stands for any key or index. */
export interface PointerTree {
  children: Map<string, PointerTree>
  any: PointerTree | undefined
  /** The pointers that end here. */
  ends: string[]
}

const valuesMax = 1_024
const valueBytesMax = 256 * 1024
/** As deep as capture reads. */
const depthMax = 1_000_000
const none: readonly PointerTree[] = []

export function plantPointers(pointers: Iterable<string>): PointerTree {
  const root: PointerTree = { children: new Map(), any: undefined, ends: [] }
  for (const pointer of new Set(pointers)) {
    let node = root
    for (const segment of pointer.slice(1).split('/')) node = childOf(node, segment)
    node.ends.push(pointer)
  }
  return root
}

function childOf(node: PointerTree, segment: string): PointerTree {
  const made = (): PointerTree => ({ children: new Map(), any: undefined, ends: [] })
  if (segment === '*') {
    node.any ??= made()
    return node.any
  }
  const key = segment.replaceAll('~1', '/').replaceAll('~0', '~')
  const child = node.children.get(key) ?? made()
  node.children.set(key, child)
  return child
}

/**
 * Reads JSON text once, without building it: deep nesting costs nothing, and of a key that stands twice both values are
 * seen, whichever of them the server will take. Undefined: it is not JSON.
 */
export function readPointers(json: Uint8Array, tree: PointerTree): Map<string, Values> | undefined {
  const reader = new PointerReader(tree)
  const scanner = new JsonScanner((token) => reader.take(token), { depthMax, tokenBytesMax: valueBytesMax })
  scanner.push(json)
  return scanner.end() === undefined ? reader.values : undefined
}

/** A container on the way to the current token. */
interface Level {
  nodes: readonly PointerTree[]
  /** Of an array: the index of its next element. */
  index: number | undefined
  /** Pointers that name the array itself, and thereby each of its scalars. */
  ends: readonly string[]
}

class PointerReader {
  readonly values = new Map<string, Values>()
  readonly #levels: Level[] = []
  /** Of the member whose key was seen last. */
  #nodes: readonly PointerTree[]
  #skippedDepth: number | undefined

  constructor(tree: PointerTree) {
    this.#nodes = [tree]
  }

  take(token: JsonToken): void {
    const { type, depth } = token
    if (this.#skippedDepth !== undefined) {
      // Nothing below is asked for.
      if (depth !== this.#skippedDepth || (type !== 'endObject' && type !== 'endArray')) return
      this.#skippedDepth = undefined
      return
    }
    if (type === 'key') this.#nodes = step(this.#levels.at(-1)?.nodes ?? none, decode(token.raw) ?? '')
    else if (type === 'endObject' || type === 'endArray') this.#levels.pop()
    else this.#takeValue(token)
  }

  #takeValue(token: JsonToken): void {
    const { type, depth } = token
    const outer = this.#levels.at(-1)
    const index = outer?.index
    if (outer !== undefined && index !== undefined) outer.index = index + 1
    const nodes = index === undefined ? this.#nodes : step(outer?.nodes ?? none, String(index))
    if (type === 'beginObject' || type === 'beginArray') {
      const isArray = type === 'beginArray'
      const ends = isArray ? nodes.flatMap((node) => node.ends) : []
      if (nodes.length === 0) this.#skippedDepth = depth
      else this.#levels.push({ nodes, index: isArray ? 0 : undefined, ends })
      return
    }
    const ends = outer?.ends ?? []
    if (nodes.length === 0 && ends.length === 0) return
    const text = type === 'string' ? decode(token.raw) : toText(token.raw)
    for (const pointer of new Set([...nodes.flatMap((node) => node.ends), ...ends])) this.#add(pointer, text)
  }

  #add(pointer: string, text: string | undefined): void {
    const values = this.values.get(pointer) ?? { texts: [], unread: 0 }
    this.values.set(pointer, values)
    if (text === undefined || values.texts.length >= valuesMax) values.unread++
    else values.texts.push(text)
  }
}

function step(nodes: readonly PointerTree[], key: string): readonly PointerTree[] {
  if (nodes.length === 0) return none
  const next: PointerTree[] = []
  for (const { children, any } of nodes) {
    const child = children.get(key)
    if (child !== undefined) next.push(child)
    if (any !== undefined) next.push(any)
  }
  return next
}

function toText(raw: Uint8Array | undefined): string | undefined {
  return raw === undefined ? undefined : Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString()
}

/** A JSON string, quotes included. Undefined where it was too long to be kept. */
function decode(raw: Uint8Array | undefined): string | undefined {
  const text = toText(raw)
  if (text === undefined || !text.includes('\\')) return text?.slice(1, -1)
  const value: unknown = JSON.parse(text)
  return typeof value === 'string' ? value : undefined
}

import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'
import { decodeString } from '../message.ts'
import { toVisible } from './hidden.ts'

const leavesMax = 5000
const pathUnitsMax = 200
const plainKey = /^[A-Za-z_$][\w$-]*$/
const item = '[]'

/** A value of a definition that is no container, or an empty one. */
export interface Leaf {
  /** `inputSchema.properties.path.type`, `inputSchema.required[]`. */
  path: string
  /** The part of a definition that it belongs to: `description`, `inputSchema.properties.path`. */
  member: string
  /** As it is written in JSON, hidden characters as escapes; of strings undefined. */
  value: string | undefined
  /** Of strings: what they hold. */
  text: string | undefined
}

/**
 * The leaves of JSON text in the order they stand: keys that come twice, numbers as written and the order of keys are kept,
 * which JSON.parse would not. `isWhole` false: there are more, or the text is not what a scanner of 512 levels reads.
 */
export function readLeaves(json: Uint8Array): { leaves: Leaf[]; isWhole: boolean } {
  const reader = new LeafReader()
  const scanner = new JsonScanner((token) => reader.take(token))
  scanner.push(json)
  const problem = scanner.end()
  return { leaves: reader.leaves, isWhole: problem === undefined && !reader.isFull }
}

class LeafReader {
  readonly leaves: Leaf[] = []
  isFull = false
  /** Keys on the way to the current token, `[]` for the elements of a list. */
  #keys: string[] = []
  /** Of each open container: how many leaves there were before it. */
  #begun: number[] = []

  take({ type, depth, raw }: JsonToken): void {
    if (type === 'key') this.#keys[depth - 1] = raw === undefined ? '' : decodeString(raw)
    else if (type === 'beginObject' || type === 'beginArray') {
      this.#keys[depth] = item
      this.#begun[depth] = this.leaves.length
    } else if (type === 'endObject' || type === 'endArray') {
      const isEmpty = this.#begun[depth] === this.leaves.length
      if (isEmpty) this.#add(depth, type === 'endObject' ? '{}' : '[]', undefined)
    } else if (type === 'string') this.#add(depth, undefined, raw === undefined ? '' : decodeString(raw))
    else this.#add(depth, Buffer.from(raw ?? []).toString('latin1'), undefined)
  }

  #add(depth: number, value: string | undefined, text: string | undefined): void {
    if (this.leaves.length >= leavesMax) this.isFull = true
    if (this.isFull) return
    const keys = this.#keys.slice(0, depth)
    this.leaves.push({ path: joinKeys(keys), member: joinKeys(memberOf(keys)), value, text })
  }
}

/** A change is told of parameters and annotations one by one, of everything else as a whole. */
function memberOf(keys: readonly string[]): readonly string[] {
  const depth = keys[1] === undefined || keys[1] === item ? 1 : keys[1] === 'properties' ? 3 : 2
  const member = keys.slice(0, depth)
  return member.at(-1) === item ? member.slice(0, -1) : member
}

function joinKeys(keys: readonly string[]): string {
  let path = ''
  for (const key of keys) {
    if (path.length > pathUnitsMax) return `${path.slice(0, pathUnitsMax)}…`
    if (key === item) path += item
    else if (plainKey.test(key)) path += path === '' ? key : `.${key}`
    else path += `[${toVisible(JSON.stringify(key.slice(0, pathUnitsMax)))}]`
  }
  return path
}

/** Lines for people: a leaf is one, or one per sentence where it is a long text. */
export function toLines(leaves: readonly Leaf[]): string[] {
  return leaves.flatMap(({ path, value, text }) =>
    text === undefined ? [`${path}: ${value}`] : splitText(text).map((piece) => `${path}: ${quote(piece)}`),
  )
}

const quote = (text: string) => toVisible(JSON.stringify(text))

/** White space goes with what follows it, so that a sentence more or less leaves its neighbours as they are. */
function splitText(text: string): string[] {
  const sentences = text.split(/(?=\n)|(?<=[.!?:;])(?= )/)
  // By code points, so that no pair is parted.
  return sentences.flatMap((sentence) => sentence.match(/[\s\S]{1,400}/gu) ?? [''])
}

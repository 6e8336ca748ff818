import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'

/** Lists further in are parts of rows, not rows. */
const depthMax = 6
const notList = -1

/**
 * Length of the longest list in a JSON value: a query's rows, a search's hits. Lists of MCP's own (`content`) are counted by
 * whoever reads MCP. Texts that are JSON themselves, as most database servers answer, are looked into.
 */
export class RowCount {
  /** By depth below the value: how many elements the list that is open there has had, or `notList`. */
  readonly #open: number[] = []
  readonly #isNested: boolean
  #depthOfTop: number | undefined
  #key = ''
  most = 0

  /** `in`: `text` for a text that was found in another value, which is looked into no further. */
  constructor(where: 'result' | 'text' = 'result') {
    this.#isNested = where === 'text'
  }

  take(token: JsonToken): void {
    this.#depthOfTop ??= token.depth
    const depth = token.depth - this.#depthOfTop
    if (depth > depthMax) return
    if (token.type === 'key') {
      if (depth === 1) this.#key = asText(token.raw)
      return
    }
    if (token.type === 'endObject' || token.type === 'endArray') {
      this.#close(depth)
      return
    }
    const parent = this.#open[depth - 1]
    if (parent !== undefined && parent !== notList) this.#open[depth - 1] = parent + 1
    if (token.type === 'beginArray') this.#open[depth] = this.#isOfMcp(depth) ? notList : 0
    else if (token.type === 'beginObject') this.#open[depth] = notList
    else if (token.type === 'string' && !this.#isNested) this.#lookInto(token.raw)
  }

  /** `result.content`, and the lists of what a server has to offer. */
  #isOfMcp(depth: number): boolean {
    return !this.#isNested && depth === 1 && this.#key !== 'structuredContent'
  }

  #close(depth: number): void {
    const count = this.#open[depth]
    if (count !== undefined && count > this.most) this.most = count
    this.#open[depth] = notList
  }

  #lookInto(raw: Uint8Array | undefined): void {
    // The quote, and what lists and objects begin with.
    if (raw === undefined || raw.length < 4 || (raw[1] !== 0x5b && raw[1] !== 0x7b)) return
    const inner = new RowCount('text')
    const scanner = new JsonScanner((token) => inner.take(token), { depthMax: 64 })
    scanner.push(new TextEncoder().encode(unquote(raw)))
    if (scanner.end() === undefined && inner.most > this.most) this.most = inner.most
  }
}

function asText(raw: Uint8Array | undefined): string {
  return raw === undefined ? '' : unquote(raw)
}

/** A JSON string's text; the scanner has seen that it is one. */
function unquote(raw: Uint8Array): string {
  const text = new TextDecoder().decode(raw)
  if (!text.includes('\\')) return text.slice(1, -1)
  const value: unknown = JSON.parse(text)
  return typeof value === 'string' ? value : ''
}

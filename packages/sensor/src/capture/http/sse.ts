/** Server-sent events as WHATWG HTML §9.2.6 reads them: what makes an event complete, byte by byte. */

const lf = 0x0a
const cr = 0x0d
const colon = 0x3a
const space = 0x20
const nameLengthMax = 4
const idLengthMax = 1024
const newline = Uint8Array.of(lf)
const byteOrderMark = [0xef, 0xbb, 0xbf]

/** One event as it arrives: what it says, and its bytes as sent. A promise means: no further bytes before it settles. */
export interface EventBody {
  /** A piece of the event's data, its lines joined by LF. Comes before the `raw` or `finish` of the bytes it is in. */
  data(bytes: Uint8Array): void
  id(value: string): void
  /** Bytes as sent, without the end of the event. */
  raw(bytes: Uint8Array): Promise<void> | undefined
  /** The last bytes as sent, the blank line included. */
  finish(bytes: Uint8Array): Promise<void> | undefined
}

/** Cuts a stream into events. Every byte is handed on exactly once, in order; comments belong to the event they precede. */
export class EventFramer {
  readonly #open: () => EventBody
  #event: EventBody | undefined
  #hasData = false
  /** Of the line at hand: its field, `start` as long as that is not known; the name so far; whether it has any byte. */
  #field: 'start' | 'data' | 'id' | 'other' = 'start'
  #name = ''
  #isBlank = true
  #maySkipSpace = true
  #id = ''
  #afterCr = false
  /** How much of a byte order mark the stream began with; 3 when that is settled. */
  #mark = 0

  constructor(open: () => EventBody) {
    this.#open = open
  }

  async take(chunk: Uint8Array): Promise<void> {
    let from = 0
    for (let at = 0; at < chunk.length; ) {
      if (this.#afterCr && chunk[at] === lf) at++
      this.#afterCr = false
      const end = endOfLine(chunk, at)
      this.#takeText(chunk.subarray(at, end))
      if (end === chunk.length) break
      this.#afterCr = chunk[end] === cr
      at = end + 1
      if (!this.#closeLine()) continue
      // A CRLF in one piece stays in one piece; a CR alone has ended the event already.
      if (this.#afterCr && chunk[at] === lf) {
        this.#afterCr = false
        at++
      }
      const wait = this.#current().finish(chunk.subarray(from, at))
      from = at
      this.#event = undefined
      this.#hasData = false
      if (wait !== undefined) await wait
    }
    if (from < chunk.length) await this.#current().raw(chunk.subarray(from))
  }

  /**
   * The stream is over. An event without its blank line is none by §9.2.6, but lenient readers take it for one: what there is
   * of it is handed on as if it were complete.
   */
  async end(): Promise<void> {
    if (this.#event === undefined) return
    this.#closeLine()
    await this.#current().finish(new Uint8Array(0))
    this.#event = undefined
  }

  #current(): EventBody {
    this.#event ??= this.#open()
    return this.#event
  }

  #takeText(bytes: Uint8Array): void {
    let at = 0
    while (this.#mark < 3 && at < bytes.length) {
      if (bytes[at] === byteOrderMark[this.#mark]) {
        this.#mark++
        at++
      } else this.#giveUpMark()
    }
    if (at === bytes.length) return
    this.#isBlank = false
    while (this.#field === 'start' && at < bytes.length) this.#takeNameByte(bytes[at++] ?? 0)
    if (this.#field !== 'start' && at < bytes.length) this.#takeValue(bytes.subarray(at))
  }

  /** What looked like the beginning of a mark was the beginning of a name. */
  #giveUpMark(): void {
    if (this.#mark > 0 && this.#mark < 3) {
      this.#name = '\u00ef\u00bb'.slice(0, this.#mark)
      this.#isBlank = false
    }
    this.#mark = 3
  }

  #takeNameByte(byte: number): void {
    if (byte === colon) this.#field = fieldOf(this.#name)
    else if (this.#name.length === nameLengthMax) this.#field = 'other'
    else this.#name += String.fromCharCode(byte)
  }

  #takeValue(bytes: Uint8Array): void {
    const value = this.#maySkipSpace && bytes[0] === space ? bytes.subarray(1) : bytes
    if (this.#field === 'id') this.#id = (this.#id + latin1(value)).slice(0, idLengthMax)
    if (this.#field === 'data') {
      if (this.#maySkipSpace) this.#beginData()
      if (value.length > 0) this.#current().data(value)
    }
    this.#maySkipSpace = false
  }

  #beginData(): void {
    if (this.#hasData) this.#current().data(newline)
    this.#hasData = true
  }

  /** Whether the line was blank and so ends the event. */
  #closeLine(): boolean {
    this.#giveUpMark()
    // A name without a colon is a field with an empty value.
    const field = this.#field === 'start' ? fieldOf(this.#name) : this.#field
    if (field === 'data' && this.#maySkipSpace) this.#beginData()
    if (field === 'id') this.#current().id(this.#id)
    const isBlank = this.#isBlank
    this.#field = 'start'
    this.#name = ''
    this.#isBlank = true
    this.#maySkipSpace = true
    this.#id = ''
    return isBlank
  }
}

/**
 * The event of a message of ours, one line of JSON, that stands in the place of the server's with this id (as EventBody has
 * it: a character for each byte).
 */
export function encodeEvent(id: string | undefined, message: Uint8Array): Uint8Array {
  const place = id === undefined ? '' : `id: ${id}\n`
  const text = Buffer.from(message).toString('utf8').trimEnd()
  return Buffer.concat([Buffer.from(place, 'latin1'), Buffer.from(`event: message\ndata: ${text}\n\n`)])
}

function fieldOf(name: string): 'data' | 'id' | 'other' {
  return name === 'data' || name === 'id' ? name : 'other'
}

/** Index of the next CR or LF, else the chunk's length. */
function endOfLine(chunk: Uint8Array, from: number): number {
  const end = chunk.indexOf(lf, from)
  const until = end < 0 ? chunk.length : end
  const early = chunk.subarray(from, until).indexOf(cr)
  return early < 0 ? until : from + early
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

import type { Socket } from 'node:net'

/**
 * HTTP/1.1 read from the wire with nothing of Node's HTTP in between, because that folds, lower-cases and completes what
 * these tests are about. Only what the cases need; bytes of heads as latin1, one character per byte.
 */
export type Headers = [name: string, value: string][]

export interface Head {
  /** Request line or status line, as it stood there. */
  start: string
  headers: Headers
}
export interface Message extends Head {
  /** Informational responses that came before. */
  interim: Head[]
  framing: 'none' | 'length' | 'chunked' | 'close'
  body: Buffer
  trailers: Headers
  /** Whether the message ended as its framing says, or the connection did before. */
  ended: 'complete' | 'cut'
}

/** Long enough for bytes to travel apart. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Something that happens once, and can be waited for. */
export interface Moment {
  come(): void
  hasCome: Promise<void>
}
export function createMoment(): Moment {
  let come: () => void = () => undefined
  const hasCome = new Promise<void>((resolve) => {
    come = resolve
  })
  return { come, hasCome }
}

/** What arrived on a socket and was not read yet. */
export interface Inlet {
  /** That many bytes, or fewer where the other side ended before. */
  take(count: number): Promise<Buffer>
  /** Up to and including the next LF, or what there was when the other side ended. */
  line(): Promise<string>
  /** Everything until the other side ends. */
  rest(): Promise<Buffer>
  /** Resolves when the bytes have arrived, read or not; false where the other side ended without them. */
  waitFor(bytes: string | Uint8Array): Promise<boolean>
  /** Resolves when no more can come. */
  closed: Promise<void>
}

export function createInlet(socket: Socket): Inlet {
  const history: Buffer[] = []
  const unread: Buffer[] = []
  let size = 0
  let isOver = false
  let next = createMoment()
  const rouse = () => {
    next.come()
    next = createMoment()
  }
  const over = () => {
    isOver = true
    rouse()
  }
  socket.on('data', (chunk: Buffer) => {
    history.push(chunk)
    unread.push(chunk)
    size += chunk.length
    rouse()
  })
  socket.on('end', over).on('close', over).on('error', over)
  const until = async (holds: () => boolean) => {
    while (!holds() && !isOver) await next.hasCome
  }
  const give = (count: number): Buffer => {
    const parts: Buffer[] = []
    let missing = Math.min(count, size)
    size -= missing
    while (missing > 0) {
      const chunk = unread.shift() ?? Buffer.alloc(0)
      const part = chunk.subarray(0, missing)
      if (part.length < chunk.length) unread.unshift(chunk.subarray(part.length))
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }
  const lineLength = () => {
    let length = 0
    for (const chunk of unread) {
      const at = chunk.indexOf(10)
      if (at >= 0) return length + at + 1
      length += chunk.length
    }
    return undefined
  }
  return {
    async take(count) {
      await until(() => size >= count)
      return give(count)
    },
    async line() {
      await until(() => lineLength() !== undefined)
      return give(lineLength() ?? size).toString('latin1')
    },
    async rest() {
      await until(() => false)
      return give(size)
    },
    async waitFor(bytes) {
      const wanted = Buffer.from(bytes)
      const hasCome = () => Buffer.concat(history).includes(wanted)
      await until(hasCome)
      return hasCome()
    },
    closed: until(() => false),
  }
}

async function readHeaders(inlet: Inlet): Promise<Headers | undefined> {
  const headers: Headers = []
  for (;;) {
    const line = await inlet.line()
    if (line === '\r\n') return headers
    const colon = line.indexOf(':')
    if (!line.endsWith('\r\n') || colon < 0) return undefined
    headers.push([line.slice(0, colon), line.slice(colon + 1).trim()])
  }
}

export const headerOf = (headers: Headers, name: string): string | undefined =>
  headers.find(([other]) => other.toLowerCase() === name)?.[1]

async function readChunked(inlet: Inlet): Promise<Pick<Message, 'body' | 'trailers' | 'ended'>> {
  const chunks: Buffer[] = []
  const cut = () => ({ body: Buffer.concat(chunks), trailers: [], ended: 'cut' as const })
  for (;;) {
    const size = Number.parseInt(await inlet.line(), 16)
    if (Number.isNaN(size)) return cut()
    if (size === 0) break
    const chunk = await inlet.take(size)
    chunks.push(chunk)
    if (chunk.length < size || (await inlet.take(2)).length < 2) return cut()
  }
  const trailers = await readHeaders(inlet)
  return trailers === undefined ? cut() : { body: Buffer.concat(chunks), trailers, ended: 'complete' }
}

async function readBody(inlet: Inlet, headers: Headers, otherwise: 'none' | 'close') {
  const length = headerOf(headers, 'content-length')
  if (headerOf(headers, 'transfer-encoding')?.toLowerCase() === 'chunked')
    return { framing: 'chunked' as const, ...(await readChunked(inlet)) }
  if (length !== undefined) {
    const body = await inlet.take(Number(length))
    const ended = body.length === Number(length) ? ('complete' as const) : ('cut' as const)
    return { framing: 'length' as const, body, trailers: [], ended }
  }
  const body = otherwise === 'close' ? await inlet.rest() : Buffer.alloc(0)
  return { framing: otherwise, body, trailers: [], ended: 'complete' as const }
}

async function readHead(inlet: Inlet): Promise<Head | undefined> {
  const start = await inlet.line()
  const headers = await readHeaders(inlet)
  return headers === undefined ? undefined : { start: start.trimEnd(), headers }
}

/** The next request, or undefined where the other side ended before its head was complete. */
export async function readRequest(inlet: Inlet, onHead: (head: Head) => void): Promise<Message | undefined> {
  const head = await readHead(inlet)
  if (head === undefined) return undefined
  onHead(head)
  return { ...head, interim: [], ...(await readBody(inlet, head.headers, 'none')) }
}

const bodiless = /^HTTP\/1\.1 (1\d\d|204|304)/

/** The next response; a connection that ends before its head is a message that was cut, with an empty start. */
export async function readResponse(inlet: Inlet, method: string): Promise<Message> {
  const interim: Head[] = []
  for (;;) {
    const head = await readHead(inlet)
    if (head === undefined)
      return { start: '', headers: [], interim, framing: 'none', body: Buffer.alloc(0), trailers: [], ended: 'cut' }
    if (/^HTTP\/1\.1 1\d\d/.test(head.start)) interim.push(head)
    else if (method === 'HEAD' || bodiless.test(head.start))
      return { ...head, interim, framing: 'none', body: Buffer.alloc(0), trailers: [], ended: 'complete' }
    else return { ...head, interim, ...(await readBody(inlet, head.headers, 'close')) }
  }
}

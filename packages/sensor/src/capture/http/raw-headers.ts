/** Header fields as Node gives and takes them raw: name, value, name, value, … in the order and case they came. */
export type RawHeaders = readonly string[]

/** RFC 9110 §7.6.1: these speak to the next hop. TE and Trailer go on, because trailers do; the body's framing is kept. */
const perHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'http2-settings'])

/**
 * What a request or answer means end to end, and what its record is made from. RFC 9110 §7.6.1 forbids to name these in
 * `Connection`; whoever does it all the same must not have the server see another request than the one that is recorded.
 */
const endToEnd = new Set([
  'affidavit-call-id', 'authorization', 'content-encoding', 'content-length', 'content-type', 'dpop', 'host', 'last-event-id', 'mcp-method', 'mcp-name',
  'mcp-protocol-version', 'mcp-session-id', 'te', 'traceparent', 'transfer-encoding', 'www-authenticate',
]) // biome-ignore format: one list

const known = new WeakMap<RawHeaders, Map<string, string[]>>()
const none: readonly string[] = []

/** Values by name in lower case. Made once: a dozen places ask for fields of every message. */
function indexOf(raw: RawHeaders): Map<string, string[]> {
  const before = known.get(raw)
  if (before !== undefined) return before
  const index = new Map<string, string[]>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? ''
    const values = index.get(name)
    if (values === undefined) index.set(name, [raw[i + 1] ?? ''])
    else values.push(raw[i + 1] ?? '')
  }
  known.set(raw, index)
  return index
}

/** Values of all fields of that name, given in lower case, in order. */
export function valuesOf(raw: RawHeaders, name: string): readonly string[] {
  return indexOf(raw).get(name) ?? none
}

/** Value of the first field of that name, given in lower case. */
export function headerOf(raw: RawHeaders, name: string): string | undefined {
  return valuesOf(raw, name)[0]
}

export function pairsOf(raw: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: raw.length >> 1 }, (_, i) => [raw[2 * i] ?? '', raw[2 * i + 1] ?? ''])
}

/** Fields, by name in lower case, whose value is another on the other side, or that are not there (undefined). */
export type Changes = ReadonlyMap<string, string | undefined>

/** What goes on to the other side: everything but the fields of this hop and those that `Connection` names. */
export function toForward(raw: RawHeaders, changes: Changes = new Map()): string[] {
  const named = new Set(
    valuesOf(raw, 'connection')
      .join()
      .toLowerCase()
      .split(/[\s,]+/),
  )
  // Only chunked bodies have trailers; Node refuses to announce them for any other.
  const isChunked = !changes.has('transfer-encoding') && headerOf(raw, 'transfer-encoding') !== undefined
  const forwarded: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (perHop.has(key) || (named.has(key) && !endToEnd.has(key)) || (key === 'trailer' && !isChunked)) continue
    const kept = changes.has(key) ? changes.get(key) : raw[i + 1]
    if (kept !== undefined) forwarded.push(name, kept)
  }
  return forwarded
}

/** Without parameters, in lower case; empty where there is none. */
export function mediaTypeOf(raw: RawHeaders): string {
  return (headerOf(raw, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Header fields as Node gives and takes them raw: name, value, name, value, … in the order and case they came. */
export type RawHeaders = readonly string[]

/** RFC 9110 §7.6.1: these speak to the next hop. TE and Trailer go on, because trailers do; the body's framing is kept. */
const perHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'http2-settings'])

/** Value of the first field of that name, given in lower case. */
export function headerOf(raw: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) return raw[i + 1]
  return undefined
}

export function pairsOf(raw: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: raw.length >> 1 }, (_, i) => [raw[2 * i] ?? '', raw[2 * i + 1] ?? ''])
}

/** Fields, by name in lower case, whose value is another on the other side, or that are not there (undefined). */
export type Changes = ReadonlyMap<string, string | undefined>

/** What goes on to the other side: everything but the fields of this hop and those that `Connection` names. */
export function toForward(raw: RawHeaders, changes: Changes = new Map()): string[] {
  const named = (headerOf(raw, 'connection') ?? '').toLowerCase().split(/[\s,]+/)
  const forwarded: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (perHop.has(key) || (named.includes(key) && key !== 'te')) continue
    const kept = changes.has(key) ? changes.get(key) : raw[i + 1]
    if (kept !== undefined) forwarded.push(name, kept)
  }
  return forwarded
}

/** Without parameters, in lower case; empty where there is none. */
export function mediaTypeOf(raw: RawHeaders): string {
  return (headerOf(raw, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

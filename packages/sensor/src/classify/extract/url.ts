import { type Extracted, type Named, nothingNamed, type Parts, unreadable } from './named.ts'
import { extractPath } from './path.ts'
import { decodePercent } from './percent.ts'
import { extractRecipient } from './recipient.ts'

/** A URL, and the host it leads to. Without user, password and fragment: none of them names what is there. */
export function extractUrl({ text = '' }: Parts): Extracted {
  const trimmed = text.trim()
  if (trimmed === '') return nothingNamed
  const url = parseUrl(trimmed)
  if (url === undefined) return unreadable('url_unreadable')
  if (url.protocol === 'file:') return extractPath({ text: trimmed })
  if (url.protocol === 'mailto:') return extractRecipient({ text: decodePercent(url.pathname) })
  // The content itself stands in it.
  if (url.protocol === 'data:')
    return { named: [{ type: 'uri', name: `data:${/^[\w.+/-]{0,127}/.exec(url.pathname)?.[0] ?? ''}` }] }
  url.username = ''
  url.password = ''
  url.hash = ''
  const named: Named[] = [{ type: 'uri', name: url.href }]
  if (url.hostname !== '') named.push({ type: 'host', name: plainHost(url.hostname) })
  return { named }
}

export function extractHost({ text = '' }: Parts): Extracted {
  if (text.trim() === '') return nothingNamed
  const host = hostOf(text)
  return host === undefined ? unreadable('host_unreadable') : { named: [{ type: 'host', name: host }] }
}

/** The host of a URL, the domain of a mail address, or a host with or without a port. */
export function hostOf(text: string): string | undefined {
  const trimmed = text.trim()
  const at = trimmed.lastIndexOf('@')
  const url = trimmed.includes('://')
    ? parseUrl(trimmed)
    : parseUrl(`https://${at < 0 ? trimmed : trimmed.slice(at + 1)}`)
  return url === undefined || url.hostname === '' ? undefined : plainHost(url.hostname)
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

/** Names are compared in lower case, and with a final dot they are the same. */
function plainHost(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '')
}

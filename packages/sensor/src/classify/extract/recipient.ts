import { type Extracted, type Named, nothingNamed, type Parts } from './named.ts'

const addressesMax = 1_024
/** What ends an address in a list such as `"Doe, J." <jd@example.com>, x@example.org`. */
const ends = new Set(' \t\r\n,;:<>()[]"@')

/**
 * Mail addresses, as URIs with the domain in lower case, and their domains. What holds none is a channel, a user or a group
 * by a name of its own.
 */
export function extractRecipient({ text = '' }: Parts): Extracted {
  const trimmed = text.trim()
  if (trimmed === '') return nothingNamed
  const named: Named[] = []
  const domains = new Set<string>()
  let count = 0
  for (let at = trimmed.indexOf('@'); at >= 0; at = trimmed.indexOf('@', at + 1)) {
    const local = trimmed.slice(wordStart(trimmed, at), at)
    const domain = trimmed
      .slice(at + 1, wordEnd(trimmed, at + 1))
      .toLowerCase()
      .replace(/\.$/, '')
    if (local === '' || domain === '') continue
    if (++count > addressesMax) return { named, problem: 'recipients_unread' }
    named.push({ type: 'uri', name: `mailto:${local}@${domain}` })
    if (!domains.has(domain)) named.push({ type: 'host', name: domain })
    domains.add(domain)
  }
  return named.length > 0 ? { named } : { named: [{ type: 'other', name: `recipient:${trimmed}` }] }
}

function wordStart(text: string, end: number): number {
  let start = end
  while (start > 0 && !ends.has(text[start - 1] ?? ' ')) start--
  return start
}

function wordEnd(text: string, start: number): number {
  let end = start
  while (end < text.length && !ends.has(text[end] ?? ' ')) end++
  return end
}

import type { Edit, Node } from 'jsonc-parser'
import { memberOf, textOf } from './document.ts'

/** Points a server's `url` at the local gateway, and back. */

/** What was there before, and what was put there. */
export interface RedirectMemory {
  /** The URL as the file had it, quotes and escapes included. It may hold a secret. */
  url: string
  /** The URL that replaced it. */
  to: string
  /** The gateway's upstream that stands for it. */
  upstream: string
}

export function redirectEdit(
  text: string,
  entry: Node,
  target: Omit<RedirectMemory, 'url'>,
): { edits: Edit[]; memory: RedirectMemory } {
  const url = memberOf(entry, 'url')?.value
  if (url === undefined) throw new TypeError('an entry without a URL cannot be pointed elsewhere')
  const own = text.slice(url.offset, url.offset + url.length)
  return { edits: [replaceNode(url, JSON.stringify(target.to))], memory: { ...target, url: own } }
}

/** Nothing where the entry was pointed elsewhere since: that is the user's doing. */
export function restoreEdits(entry: Node, { url, to }: Pick<RedirectMemory, 'url' | 'to'>): Edit[] {
  const value = memberOf(entry, 'url')?.value
  return value === undefined || textOf(value) !== to ? [] : [replaceNode(value, url)]
}

function replaceNode({ offset, length }: Node, content: string): Edit {
  return { offset, length, content }
}

/** What an entry asks of the gateway: the name of the upstream, and a query that came from its own URL. */
export function readRedirected(
  entry: Node,
  gatewayOrigin: string,
): { to: string; upstream: string; search: string } | undefined {
  const to = textOf(memberOf(entry, 'url')?.value)
  if (to?.startsWith(`${gatewayOrigin}/mcp/`) !== true || !URL.canParse(to)) return undefined
  const { pathname, search } = new URL(to)
  const [upstream = ''] = pathname.slice('/mcp/'.length).split('/')
  return { to, upstream, search }
}

/**
 * Where the client goes from now on. A query stays with the client: it may hold a key, and the gateway needs none to find
 * the upstream.
 */
export function toGatewayUrl(gatewayOrigin: string, upstream: string, { search }: URL): string {
  return `${gatewayOrigin}/mcp/${upstream}${search}`
}

/** What the gateway is told: the URL without its query and fragment. */
export function toUpstreamUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`
}

const nameMax = 40

/** A name that the gateway takes: for a path and a YAML key, with room for what tells it from others. */
export function toUpstreamName(server: string): string {
  const name = server
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-._]+/, '')
    .slice(0, nameMax)
    .replace(/[-.]+$/, '')
  return name === '' ? 'server' : name
}

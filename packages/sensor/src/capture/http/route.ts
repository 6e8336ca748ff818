import type { IncomingMessage } from 'node:http'
import { headerOf } from './raw-headers.ts'
import type { Place } from './relay.ts'
import type { Upstream } from './upstream.ts'

const wellKnown = '/.well-known/'

/** Which upstream a request is for, and where it goes there. */
export interface Router {
  find(request: Pick<IncomingMessage, 'url' | 'rawHeaders'>): Place | undefined
}

/**
 * By host name, where an upstream claims it: then everything on it belongs to that upstream. Else by path: `/mcp/NAME` is its
 * endpoint, `/mcp/NAME/…` what is below it, and `/.well-known/…/mcp/NAME` its metadata (RFC 8414 §3.1, RFC 9728 §3.1 put the
 * path of a resource behind the well-known part).
 */
export function createRouter(byName: ReadonlyMap<string, Upstream>, byHost: ReadonlyMap<string, Upstream>): Router {
  return {
    find({ url = '/', rawHeaders }) {
      // The absolute form is for proxies (RFC 9112 §3.2.2); origin form is what servers expect.
      const target = /^https?:\/\/[^/?#]*(.*)$/i.exec(url)?.[1] ?? url
      const path = target.startsWith('/') ? target : `/${target}`
      const owner = byHost.get(hostNameOf(headerOf(rawHeaders, 'host') ?? ''))
      if (owner !== undefined)
        return { upstream: owner, path, isEndpoint: isSamePlace(path, owner.options.url.pathname) }
      return findByPath(byName, path)
    },
  }
}

function findByPath(byName: ReadonlyMap<string, Upstream>, target: string): Place | undefined {
  const [, before = '', name = '', below = '', query = ''] =
    /^(\/\.well-known\/[^?]*?)?\/mcp\/([^/?]+)(\/[^?]*)?(\?.*)?$/.exec(target) ?? []
  const upstream = byName.get(decode(name))
  if (upstream === undefined) return undefined
  const inner = plainSegments(below)
  // Where dots climb out of what the name stands for, servers behind it would answer for a place of their own.
  if (inner === undefined || plainSegments(before.slice(wellKnown.length)) === undefined) return undefined
  const { pathname, search } = upstream.options.url
  if (before.startsWith(wellKnown)) {
    const suffix = pathname === '/' ? '' : pathname
    return { upstream, path: `${before}${suffix}${below}${query}`, isEndpoint: false }
  }
  if (below === '') return { upstream, path: `${pathname}${joinQueries(search, query)}`, isEndpoint: true }
  return { upstream, path: `${pathname.replace(/\/$/, '')}${below}${query}`, isEndpoint: inner.length === 0 }
}

function joinQueries(own: string, query: string): string {
  return own !== '' && query !== '' ? `${own}&${query.slice(1)}` : own + query
}

/** Servers differ in what they take for the same path: whatever the most lenient one takes for the endpoint is the endpoint. */
function isSamePlace(target: string, pathname: string): boolean {
  return plainSegments(pathOf(target))?.join('/') === plainSegments(pathname)?.join('/')
}

/**
 * Segments of a path without what some servers do not heed: percent-encoding, case, parameters, empty segments and dots.
 * Undefined where it leads out of where it began.
 */
function plainSegments(path: string): string[] | undefined {
  const segments: string[] = []
  if (path === '') return segments
  const decoded = path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  for (const segment of decoded.toLowerCase().split(/[/\\]/)) {
    const name = segment.split(';')[0] ?? ''
    if (name === '..' && segments.pop() === undefined) return undefined
    if (name !== '..' && name !== '.' && name !== '') segments.push(name)
  }
  return segments
}

function pathOf(target: string): string {
  return target.split('?')[0] ?? target
}

function hostNameOf(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase()
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch (error) {
    // Not percent-encoded text: then no upstream is called that.
    if (error instanceof URIError) return ''
    throw error
  }
}

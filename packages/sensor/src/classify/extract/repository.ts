import { type Extracted, nothingNamed, type Parts, unreadable } from './named.ts'
import { normalisePath } from './path.ts'

/** Where what comes after owner and name is a page, not a part of the name. */
const twoPartHosts: ReadonlySet<string> = new Set(['github.com', 'bitbucket.org', 'codeberg.org'])
const scpLike = /^(?:[\w.-]+@)?([A-Za-z0-9][\w.-]*):(?!\/)(.+)$/
const isPath = /^(?:[./~\\]|[A-Za-z]:[\\/]|file:)/

/** `owner` and `repo` apart, with `host` where it is told; a URL; `owner/repo`; or a folder with a clone in it. */
export function extractRepository({ text, host = '', owner, repo }: Parts): Extracted {
  if (text === undefined) {
    const path = [owner, repo].filter((part) => part !== undefined && part !== '').join('/')
    return path === '' ? nothingNamed : nameRepository(host, path)
  }
  const trimmed = text.trim()
  if (trimmed === '') return nothingNamed
  if (isPath.test(trimmed)) return { named: [{ type: 'path', name: normalisePath(trimmed) }] }
  if (trimmed.includes('://')) {
    if (!URL.canParse(trimmed)) return unreadable('repository_unreadable')
    const url = new URL(trimmed)
    return nameRepository(url.hostname, url.pathname)
  }
  const [, ofHost, path] = scpLike.exec(trimmed) ?? []
  return ofHost === undefined || path === undefined ? nameRepository(host, trimmed) : nameRepository(ofHost, path)
}

/** Names are the same in any case on every large host, and with `.git` after them. */
function nameRepository(host: string, path: string): Extracted {
  const place = host.toLowerCase()
  const [before = ''] = path.split('/-/')
  const segments = before.split('/').filter((segment) => segment !== '')
  const kept = twoPartHosts.has(place) ? segments.slice(0, 2) : segments
  const name = kept
    .join('/')
    .replace(/\.git$/i, '')
    .toLowerCase()
  if (name === '') return unreadable('repository_unreadable')
  return { named: [{ type: 'other', name: `repository:${place === '' ? '' : `${place}/`}${name}` }] }
}

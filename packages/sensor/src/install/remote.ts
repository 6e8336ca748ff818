import type { Node } from 'jsonc-parser'
import { memberOf, membersOf, textOf } from './document.ts'
import { left, type Surroundings, type Verdict } from './verdict.ts'

/** Servers at a URL. A client that signs in with OAuth checks that the token is for the URL it knows, so another URL breaks it. */

/** Members by which the four clients are told how to sign in. */
const oauthMembers = ['auth', 'oauth', 'authorization', 'authorizationServer', 'oauthConfig']
const credentialName =
  /auth|token|secret|cookie|passw|credential|(?:api|access|private|service|subscription)[-_]?key|^x-.*key$/i

export function judgeUrl(entry: Node, { gatewayOrigin, wantsOAuth }: Surroundings): Verdict {
  const text = textOf(memberOf(entry, 'url')?.value)
  if (text === undefined) return left('malformed')
  if (text.startsWith(`${gatewayOrigin}/mcp/`)) return { state: 'covered', by: 'gateway' }
  if (text.includes('${')) return left('placeholder_url')
  if (!URL.canParse(text)) return left('malformed')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return left('not_http')
  if (url.username !== '' || url.password !== '') return left('url_user')
  if (/\/sse\/?$/.test(url.pathname)) return left('sse')
  if (membersOf(entry).some(({ name }) => oauthMembers.includes(name))) return left('oauth')
  if (wantsOAuth.get(text) === true) return left('oauth')
  const isOpen = wantsOAuth.get(text) === false || isLoopback(url) || bringsCredential(entry, url)
  return isOpen ? { state: 'redirect', url } : left('maybe_oauth')
}

/** URLs whose servers only an answer can tell about. */
export function needsProbe(entry: Node, gatewayOrigin: string): string | undefined {
  const verdict = judgeUrl(entry, { gatewayOrigin, wantsOAuth: new Map() })
  return verdict.state === 'left' && verdict.reason === 'maybe_oauth'
    ? textOf(memberOf(entry, 'url')?.value)
    : undefined
}

export function isLoopback({ hostname }: URL): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d+){3}$/.test(hostname)
  )
}

/** A credential in the file goes with every call: such a client has no reason to sign in. */
function bringsCredential(entry: Node, url: URL): boolean {
  const names = [...membersOf(memberOf(entry, 'headers')?.value).map(({ name }) => name), ...url.searchParams.keys()]
  return memberOf(entry, 'headersHelper') !== undefined || names.some((name) => credentialName.test(name))
}

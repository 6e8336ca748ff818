import { needsProbe } from '../install/remote.ts'
import { listServers } from '../install/servers.ts'
import type { ClientFiles } from './client-files.ts'

/**
 * Asks remote servers whether they want OAuth, without any credential: whether they publish protected-resource metadata
 * (RFC 9728), and whether a bare `initialize` is challenged. Only with --probe: installing does not talk to the network.
 */

const timeoutMs = 5_000
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'affidavit-install', version: '1' } },
})

/** URLs that only an answer can tell about, once each. */
export function urlsToProbe({ readable }: ClientFiles, gatewayOrigin: string): string[] {
  const urls = readable.flatMap(({ location, document }) =>
    listServers(document.root, location.servers).map(({ member }) => needsProbe(member.value, gatewayOrigin)),
  )
  return [...new Set(urls)].filter((url) => url !== undefined)
}

/** By URL; a server that does not answer is not in it, for nothing is known of it. */
export async function probeAll(urls: readonly string[]): Promise<Map<string, boolean>> {
  const answers = await Promise.all(urls.map(async (url) => [url, await wantsOAuth(new URL(url))] as const))
  return new Map(answers.flatMap(([url, answer]) => (answer === undefined ? [] : [[url, answer] as const])))
}

async function wantsOAuth(url: URL): Promise<boolean | undefined> {
  const places = [
    `/.well-known/oauth-protected-resource${url.pathname.replace(/\/$/, '')}`,
    '/.well-known/oauth-protected-resource',
  ]
  const metadata = await Promise.all(places.map((place) => ask(new URL(place, url.origin), { method: 'GET' })))
  if (metadata.some((answer) => answer?.isMetadata)) return true
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const answer = await ask(url, { method: 'POST', headers, body: initialize })
  // 401 without a challenge is still no server that takes calls from strangers.
  return answer === undefined ? undefined : answer.status === 401 || answer.status === 403
}

async function ask(url: URL, init: RequestInit): Promise<{ status: number; isMetadata: boolean } | undefined> {
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    const type = response.headers.get('content-type') ?? ''
    const isMetadata = response.ok && type.includes('json') && init.method === 'GET'
    await response.body?.cancel()
    return { status: response.status, isMetadata }
  } catch (error) {
    // No such host, no connection, no answer in time: fetch says TypeError, the signal DOMException.
    if (error instanceof TypeError || error instanceof DOMException) return undefined
    throw error
  }
}

import { EndpointError, fetchJson } from '../fetch-json.ts'
import { BundleError, parseBundle, type TrustBundle } from './bundle.ts'
import type { BundleFollower, FollowerParts } from './trust.ts'

const timeoutMs = 10_000
const refreshMsMinDefault = 30_000
/** Where the bundle gives no hint. */
const refreshMsDefault = 300_000
/** A key that was withdrawn is believed for so long at most, whatever the hint. */
const refreshMsMax = 86_400_000
const retryMsMax = 300_000

/**
 * Asks a bundle endpoint as its refresh hint says (profile https_web: its TLS name vouches for it). While it is down, or says
 * what cannot be used, or goes back to an earlier version, the last good bundle is kept.
 */
export function followEndpoint(parts: FollowerParts): BundleFollower {
  const { source, take, fail, fetch, refreshMsMin = refreshMsMinDefault } = parts
  const ended = new AbortController()
  let held: TrustBundle | undefined
  let failures = 0
  let timer: NodeJS.Timeout | undefined

  const refresh = async (): Promise<void> => {
    const loaded = await load()
    if (ended.signal.aborted) return
    if (typeof loaded === 'string') {
      failures++
      fail(loaded)
    } else {
      failures = 0
      held = loaded
      take(loaded)
    }
    const hintMs = Math.min(refreshMsMax, Math.max(refreshMsMin, held?.refreshHintMs ?? refreshMsDefault))
    const pauseMs =
      failures === 0 ? hintMs : Math.min(hintMs, retryMsMax, refreshMsMin * 2 ** Math.min(failures - 1, 10))
    timer = setTimeout(() => void refresh(), spread(pauseMs)).unref()
  }
  /** A bundle, or what is wrong. */
  const load = async (): Promise<TrustBundle | string> => {
    try {
      const request = { url: source.bundle, method: 'GET', headers: {}, timeoutMs, signal: ended.signal } as const
      const { status, json } = await fetchJson(fetch, request)
      if (status !== 200) return `its endpoint answers ${status}`
      const bundle = parseBundle(json)
      return isEarlier(bundle, held) ? 'its endpoint went back to an earlier version' : bundle
    } catch (error) {
      if (error instanceof EndpointError) return `its endpoint gives nothing that can be used (${error.code})`
      if (error instanceof BundleError) return `its endpoint gives nothing that can be used (${error.code})`
      throw error
    }
  }
  return {
    first: refresh(),
    close() {
      ended.abort()
      clearTimeout(timer)
    },
  }
}

/** §4.1.1: the number only grows. One that is gone would let any version follow. */
function isEarlier({ sequence }: TrustBundle, held: TrustBundle | undefined): boolean {
  if (held?.sequence === undefined) return false
  return sequence === undefined || sequence < held.sequence
}

/** Up to a tenth earlier, so that many gateways do not ask at once. */
function spread(ms: number): number {
  return ms * (0.9 + Math.random() * 0.1)
}

import { type Fetch, isSecureUrl } from '../fetch-json.ts'
import type { TrustBundle } from './bundle.ts'
import { followEndpoint } from './bundle-endpoint.ts'
import { followFile } from './bundle-file.ts'
import { SpiffeRefusal } from './spiffe-refusal.ts'

/** The bundle of this very trust domain. Throws SpiffeRefusal `unknown_trust_domain` or `bundle_unavailable`. */
export type BundleLookup = (trustDomain: string) => TrustBundle

/**
 * Whom to believe about which trust domain. Whoever can write one of the files, or answer for one of the endpoints, can name
 * any workload of that trust domain, and none of another.
 */
export interface SpiffeTrust {
  bundleOf: BundleLookup
  /** Whether a bundle for it is configured, be there one at the moment or not. */
  knows(trustDomain: string): boolean
  /** Another number whenever a bundle changed: what was judged before is judged again. */
  readonly generation: number
  /** Settles when every source was asked once. */
  ready: Promise<void>
  close(): void
}

/** A place where the bundle of one trust domain is. */
export interface BundleSource {
  trustDomain: string
  /** An absolute path, or an https URL (http on this machine). */
  bundle: string
}

export interface TrustParts {
  fetch: Fetch
  /** `sentence` holds names of ours and never what a source said. */
  diagnose: (code: string, sentence: string) => void
  /** A bundle came, or another one. */
  onChange?: () => void
  /** How often a file is looked at; default a second. */
  lookEveryMs?: number
  /** An endpoint is not asked more often than this, whatever it hints; default half a minute. */
  refreshMsMin?: number
}

/** What follows one source: it offers each bundle once, and says when there is none to be had. */
export interface BundleFollower {
  first: Promise<void>
  close(): void
}

export interface FollowerParts extends TrustParts {
  source: BundleSource
  take: (bundle: TrustBundle) => void
  fail: (problem: string) => void
}

export function isBundleUrl(bundle: string): boolean {
  return isSecureUrl(bundle)
}

export function openTrust(sources: readonly BundleSource[], parts: TrustParts): SpiffeTrust {
  const bundles = new Map<string, TrustBundle | undefined>(sources.map(({ trustDomain }) => [trustDomain, undefined]))
  let generation = 0
  const followers = sources.map((source) => {
    let lastProblem = ''
    const follow = isBundleUrl(source.bundle) ? followEndpoint : followFile
    return follow({
      ...parts,
      source,
      take: (bundle) => {
        lastProblem = ''
        bundles.set(source.trustDomain, bundle)
        generation++
        parts.onChange?.()
      },
      fail: (problem) => {
        // Said once, not at every try.
        if (problem === lastProblem) return
        lastProblem = problem
        const kept = bundles.get(source.trustDomain) === undefined ? 'there is none yet' : 'the last good one is kept'
        parts.diagnose('AFD_BUNDLE_UNAVAILABLE', `the bundle of ${source.trustDomain}: ${problem}; ${kept}`)
      },
    })
  })
  return {
    bundleOf(trustDomain) {
      const bundle = bundles.get(trustDomain)
      if (bundle !== undefined) return bundle
      throw new SpiffeRefusal(bundles.has(trustDomain) ? 'bundle_unavailable' : 'unknown_trust_domain')
    },
    knows: (trustDomain) => bundles.has(trustDomain),
    get generation() {
      return generation
    },
    ready: Promise.all(followers.map(({ first }) => first)).then(() => undefined),
    close() {
      for (const follower of followers) follower.close()
    },
  }
}

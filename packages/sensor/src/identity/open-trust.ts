import { type Fetch, fetchJson } from './fetch-json.ts'
import { createIntrospect, type IntrospectionOptions } from './introspection.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import type { Reading } from './token-kind.ts'
import type { IssuerRules, TokenTrust } from './token-trust.ts'

/** What is configured of one issuer. */
export interface IssuerOptions extends Omit<IssuerRules, 'keys'> {
  jwksUri?: string
  /** Instead of asking anybody. Throws where it cannot be read. */
  readKeys?: () => unknown
}

export interface TrustOptions {
  issuers: readonly IssuerOptions[]
  /** Which of the issuers is asked about opaque tokens, and how. */
  introspecting?: { issuer: string; by: IntrospectionOptions }
  fetch: Fetch
  diagnose: (code: string, sentence: string) => void
}

export interface OpenTrust extends TokenTrust {
  readingOf(issuer: unknown): Reading | undefined
  /** Asks for the keys now, so that the first call need not wait for them. */
  warm(nowMs: number): void
}

/** Nothing is asked of anybody before a token needs it, or before it is warmed. `signal` gives up what is being asked. */
export function openTrust({ issuers, introspecting, fetch, diagnose }: TrustOptions, signal: AbortSignal): OpenTrust {
  const onUnavailable = (issuer: string, problem: string) =>
    diagnose('AFD_ISSUER_UNAVAILABLE', `keys of ${issuer} could not be fetched: ${problem}`)
  const opened = new Map<string, IssuerRules>()
  for (const options of issuers)
    opened.set(options.issuer, { ...options, keys: createIssuerKeys({ ...options, fetch, signal, onUnavailable }) })
  const asking = introspecting === undefined ? undefined : opened.get(introspecting.issuer)
  return {
    issuers: opened,
    ...(asking === undefined || introspecting === undefined
      ? {}
      : {
          introspecting: {
            ...asking,
            introspect: createIntrospect(introspecting.by, (request) => fetchJson(fetch, { ...request, signal })),
          },
        }),
    readingOf: (issuer) => (typeof issuer === 'string' ? opened.get(issuer) : undefined),
    warm(nowMs) {
      for (const { keys } of opened.values()) keys.warm(nowMs)
    },
  }
}

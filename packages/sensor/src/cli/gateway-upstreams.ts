import type { CaptureContext } from '../capture/context.ts'
import { createRouter, type Router } from '../capture/http/route.ts'
import { type Admit, openUpstream, type Upstream, type UpstreamOptions } from '../capture/http/upstream.ts'
import type { GatewayConfig, UpstreamConfig } from './gateway-config.ts'
import { readNamed } from './gateway-config.ts'

/** What the upstreams of a gateway share. */
export interface UpstreamParts {
  contextFor(name: string): CaptureContext
  admitFor(name: string, config: UpstreamConfig): Admit
}

export interface Routes {
  router: Router
  upstreams: Upstream[]
}

const timeoutsDefault = { connectMs: 10_000, answerMs: 0, bodyIdleMs: 0 }
const limitsDefault = { sessionIdleMs: 3_600_000, resumeGraceMs: 120_000 }

/** Builds the upstreams of a configuration; those that are the same as `before` are the same objects. */
export function buildRoutes(config: GatewayConfig, parts: UpstreamParts, before: readonly Upstream[]): Routes {
  const byName = new Map<string, Upstream>()
  const byHost = new Map<string, Upstream>()
  for (const [name, upstreamConfig] of Object.entries(config.upstreams)) {
    const options = toOptions(name, upstreamConfig, config)
    const known = before.find(({ options: other }) => other.name === name)
    const isSame = known !== undefined && JSON.stringify(known.options) === JSON.stringify(options)
    const made = { context: parts.contextFor(name), admit: parts.admitFor(name, upstreamConfig) }
    const upstream = isSame ? known : openUpstream(options, made, known)
    byName.set(name, upstream)
    for (const host of upstreamConfig.hosts ?? []) byHost.set(host, upstream)
  }
  return { router: createRouter(byName, byHost), upstreams: [...byName.values()] }
}

function toOptions(
  name: string,
  { url, host, tls, timeouts }: UpstreamConfig,
  { limits }: GatewayConfig,
): UpstreamOptions {
  const { sessionIdleMs, resumeGraceMs } = { ...limitsDefault, ...withoutUndefined(limits ?? {}) }
  return {
    name,
    url: new URL(url),
    host: host ?? 'keep',
    // The files' contents, not their names: a renewed certificate makes another upstream.
    tls: Object.fromEntries(Object.entries(withoutUndefined(tls ?? {})).map(([key, path]) => [key, readNamed(path)])),
    timeouts: { ...timeoutsDefault, ...withoutUndefined(timeouts ?? {}) },
    limits: { sessionIdleMs, resumeGraceMs },
  }
}

function withoutUndefined<T extends object>(object: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept: { [K in keyof T]?: NonNullable<T[K]> } = {}
  for (const key in object) {
    const value = object[key]
    if (value !== undefined && value !== null) kept[key] = value
  }
  return kept
}

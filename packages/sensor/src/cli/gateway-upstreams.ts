import type { CaptureContext } from '../capture/context.ts'
import type { Doorkeeper } from '../capture/http/doorkeeper.ts'
import { createRouter, type Router } from '../capture/http/route.ts'
import { openUpstream, type Upstream, type UpstreamOptions } from '../capture/http/upstream.ts'
import { directoriesIn, type GatewayConfig, type UpstreamConfig } from './gateway-config.ts'
import { readText } from './yaml-config.ts'

/** What the upstreams of a gateway share. */
export interface UpstreamParts {
  contextFor(name: string): CaptureContext
  doorkeeperFor(config: UpstreamConfig, identity: GatewayConfig['identity'], context: CaptureContext): Doorkeeper
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
  // Roles are remembered with tokens: another directory needs another memory.
  const directories = directoriesIn(config).map((file) => readText(file))
  for (const [name, upstreamConfig] of Object.entries(config.upstreams)) {
    const options = toOptions(name, upstreamConfig, config)
    const known = before.find(({ options: other }) => other.name === name)
    const origin = JSON.stringify([options, upstreamConfig.authorization, config.identity, directories])
    const isSame = known !== undefined && origins.get(known) === origin
    const upstream = isSame ? known : open(upstreamConfig, config, { options, parts, known })
    origins.set(upstream, origin)
    byName.set(name, upstream)
    for (const host of upstreamConfig.hosts ?? []) byHost.set(host, upstream)
  }
  return { router: createRouter(byName, byHost), upstreams: [...byName.values()] }
}

/** What an upstream was made from. */
const origins = new WeakMap<Upstream, string>()

function open(
  config: UpstreamConfig,
  { identity }: GatewayConfig,
  { options, parts, known }: { options: UpstreamOptions; parts: UpstreamParts; known: Upstream | undefined },
): Upstream {
  const context = parts.contextFor(options.name)
  return openUpstream(options, { context, ...parts.doorkeeperFor(config, identity, context) }, known)
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
    tls: Object.fromEntries(Object.entries(withoutUndefined(tls ?? {})).map(([key, path]) => [key, readText(path)])),
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

import type { GatewayConfig } from './gateway-config.ts'

/** Which keys of a configuration changed, as JSON text for the record. Names only: values may hold what nobody should read. */
export function describeChange(before: GatewayConfig | undefined, next: GatewayConfig): Uint8Array {
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
  const old = before?.upstreams ?? {}
  const names = Object.keys(next.upstreams)
  const keys: readonly (keyof GatewayConfig)[] = [
    'listen',
    'plaintext',
    'tls',
    'identity',
    'level',
    'failOpen',
    'redact',
    'policy',
    'limits',
    'drainMs',
    'ingest',
  ]
  const change = {
    upstreams: {
      added: names.filter((name) => !Object.hasOwn(old, name)),
      removed: Object.keys(old).filter((name) => !Object.hasOwn(next.upstreams, name)),
      changed: names.filter((name) => Object.hasOwn(old, name) && !isSame(old[name], next.upstreams[name])),
    },
    changed: before === undefined ? [] : keys.filter((key) => !isSame(before[key], next[key])),
  }
  return Buffer.from(JSON.stringify(change))
}

import { createHash } from 'node:crypto'
import type { CaptureContext } from '../capture/context.ts'
import { diagnose } from './diagnostics.ts'
import type { GatewayConfig, LoadedConfig } from './gateway-config.ts'

export const levelDefault = 'arguments'

/** Which keys of a configuration changed, as JSON text for the record. Names only: values may hold what nobody should read. */
function describeChange(before: GatewayConfig | undefined, next: GatewayConfig): Uint8Array {
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
  const old = before?.upstreams ?? {}
  const names = Object.keys(next.upstreams)
  const keys: readonly (keyof GatewayConfig)[] = [
    'listen',
    'plaintext',
    'tls',
    'level',
    'failOpen',
    'redact',
    'policy',
    'limits',
    'drainMs',
    'ingest',
    'environment',
    'posture',
  ]
  const change = {
    upstreams: {
      added: names.filter((name) => !Object.hasOwn(old, name)),
      removed: Object.keys(old).filter((name) => !Object.hasOwn(next.upstreams, name)),
      changed: names.filter((name) => Object.hasOwn(old, name) && !isSame(old[name], next.upstreams[name])),
    },
    changed: before === undefined ? [] : keys.filter((key) => !isSame(before[key], next[key])),
    ...levelsOf(before, next),
  }
  return Buffer.from(JSON.stringify(change))
}

/** A level is one of our own words, and the reader of a record has to know which one was in force. */
function levelsOf(before: GatewayConfig | undefined, { level = levelDefault }: GatewayConfig) {
  const old = before === undefined ? undefined : (before.level ?? levelDefault)
  return old === level ? {} : { level: { ...(old === undefined ? {} : { before: old }), after: level } }
}

/** Records that a configuration is in force now. Never rejects. */
export async function recordConfig(
  emit: CaptureContext['emit'],
  before: LoadedConfig | undefined,
  next: LoadedConfig,
): Promise<void> {
  const hash = (loaded: LoadedConfig) => createHash('sha256').update(loaded.text).digest('base64')
  const after = hash(next)
  const detail =
    before === undefined
      ? ({ subject: 'config', event: 'loaded', after } as const)
      : ({ subject: 'config', event: 'changed', before: hash(before), after } as const)
  try {
    await emit({ kind: 'change', detail }, { input: describeChange(before?.config, next.config) })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_AUDIT_UNAVAILABLE', `the configuration in force could not be recorded (${code})`)
  }
}

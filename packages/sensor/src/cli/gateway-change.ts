import { createHash } from 'node:crypto'
import type { CaptureContext } from '../capture/context.ts'
import { diagnose } from './diagnostics.ts'
import type { GatewayConfig, LoadedConfig } from './gateway-config.ts'

export const levelDefault = 'arguments'

type Loaded = Pick<LoadedConfig, 'config' | 'catalogue' | 'directories'>

/** Which keys of a configuration changed, as JSON text for the record. Names only: values may hold what nobody should read. */
function describeChange(loadedBefore: Loaded | undefined, loaded: Loaded): Uint8Array {
  const [before, next] = [loadedBefore?.config, loaded.config]
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
    'identity',
    'environment',
    'posture',
  ]
  // Its files count, whether or not others are named.
  const [was, is] = [loadedBefore?.catalogue, loaded.catalogue]
  const isCatalogueSame = was?.hash === is?.hash && was?.followedFrom === is?.followedFrom
  const areDirectoriesSame = isSame(loadedBefore?.directories, loaded.directories)
  const change = {
    upstreams: {
      added: names.filter((name) => !Object.hasOwn(old, name)),
      removed: Object.keys(old).filter((name) => !Object.hasOwn(next.upstreams, name)),
      changed: names.filter((name) => Object.hasOwn(old, name) && !isSame(old[name], next.upstreams[name])),
    },
    changed:
      before === undefined
        ? []
        : [
            ...keys.filter((key) => !isSame(before[key], next[key])),
            ...(isCatalogueSame ? [] : ['catalogue']),
            ...(areDirectoriesSame ? [] : ['directories']),
          ],
    ...levelsOf(before, next),
  }
  return Buffer.from(JSON.stringify(change))
}

/** A level is one of our own words, and the reader of a record has to know which one was in force. */
function levelsOf(before: GatewayConfig | undefined, { level = levelDefault }: GatewayConfig) {
  const old = before === undefined ? undefined : (before.level ?? levelDefault)
  return old === level ? {} : { level: { ...(old === undefined ? {} : { before: old }), after: level } }
}

/** Of the file; where there is a catalogue or a directory, each follows: a zero byte and its hash in base64. */
export function hashOf({ text, catalogue, directories }: LoadedConfig): string {
  const hash = createHash('sha256').update(text)
  if (catalogue !== undefined) hash.update(`\0${catalogue.hash}`)
  for (const directory of directories) hash.update(`\0${createHash('sha256').update(directory).digest('base64')}`)
  return hash.digest('base64')
}

/** Records that a configuration is in force now. Never rejects. */
export async function recordConfig(
  emit: CaptureContext['emit'],
  before: LoadedConfig | undefined,
  next: LoadedConfig,
): Promise<void> {
  const after = hashOf(next)
  const detail =
    before === undefined
      ? ({ subject: 'config', event: 'loaded', after } as const)
      : ({ subject: 'config', event: 'changed', before: hashOf(before), after } as const)
  try {
    await emit({ kind: 'change', detail }, { input: describeChange(before, next) })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_AUDIT_UNAVAILABLE', `the configuration in force could not be recorded (${code})`)
  }
}

import { readFileSync } from 'node:fs'
import { directoriesIn, type LoadedConfig } from './gateway-config.ts'

/** What of a configuration is taken over while the gateway runs, and what only at its next start. */

const watchEveryMs = 1_000

/** Compares what the files say with what was read, not their times: a change while we start counts too. */
export function watchContents(serving: { readonly loaded: LoadedConfig }, onChange: () => void): NodeJS.Timeout {
  const others = () => filesBeside(serving.loaded.config).map(readIfThere)
  let known = [serving.loaded.text, ...others()].join('\0')
  return setInterval(() => {
    const now = [readIfThere(serving.loaded.path), ...others()].join('\0')
    if (now === known) return
    known = now
    onChange()
  }, watchEveryMs)
}

/** Certificates, and the files of catalogue and directories. */
function filesBeside(config: LoadedConfig['config']): string[] {
  const { tls, upstreams, catalogue } = config
  const own = tls === undefined ? undefined : { cert: tls.cert, key: tls.key }
  const all = [own, ...Object.values(upstreams).map((upstream) => upstream.tls)]
  const certificates = all.flatMap((files) => Object.values(files ?? {})).filter((path) => path !== undefined)
  return [...certificates, ...(catalogue?.files ?? []), ...directoriesIn(config)]
}

/** Between its removal and its return, a file that is being replaced says nothing. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}

/** What is built once and for all when the gateway starts. */
export function needRestart(before: LoadedConfig, next: LoadedConfig): string[] {
  const fixed = [
    'listen',
    'diagnostics',
    'failOpen',
    'redact',
    'policy',
    'limits',
    'plaintext',
    'ingest',
    'environment',
    'posture',
  ] as const
  const isOther = (of: (config: LoadedConfig['config']) => unknown) =>
    JSON.stringify(of(before.config)) !== JSON.stringify(of(next.config))
  return [
    ...fixed.filter((key) => isOther((config) => config[key])),
    ...(isOther(({ tls }) => [tls === undefined, tls?.clientCertificates]) ? ['tls'] : []),
    ...(isOther(({ identity }) => identity?.spiffe) ? ['identity.spiffe'] : []),
  ]
}

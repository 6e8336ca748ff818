import { readFileSync } from 'node:fs'

/** Version of this package; the file is two folders up from sources and from built JavaScript alike. */
export function readVersion(): string {
  return parseVersion(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}

function parseVersion(text: string): string {
  const manifest: unknown = JSON.parse(text)
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion && typeof manifest.version === 'string' ? manifest.version : 'unknown'
}

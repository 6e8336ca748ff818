import { isReference } from './filler.ts'
import { isMarker } from './marker.ts'
import { matchOf } from './match.ts'
import type { Match } from './rule.ts'

const kind = /\bkind:[ \t]*["']?secret\b/i
const block = /^([ \t]*)(?:string)?data:[ \t]*\r?$/i
const member = /^([ \t]*)(?:[\w.-]{1,253}:[ \t]*)?(?:[|>][+-]?[ \t]*)?(["']?)([^\s"'{}]{4,})\2[ \t]*\r?$/

/** Values under `data` and `stringData` of Secret manifests in YAML, one document at a time. */
export function matchKubernetesSecrets(text: string, onMatch: (match: Match) => void): void {
  if (!kind.test(text)) return
  let start = 0
  for (const document of text.split(/^(?=---)/m)) {
    if (kind.test(document)) matchManifest(document, start, onMatch)
    start += document.length
  }
}

function matchManifest(manifest: string, offset: number, onMatch: (match: Match) => void): void {
  let at = offset
  let blockIndent: number | undefined
  for (const line of manifest.split('\n')) {
    const indent = line.length - line.trimStart().length
    const opened = block.exec(line)
    if (opened !== null) blockIndent = opened[1]?.length ?? 0
    else if (line.trim() !== '' && blockIndent !== undefined && indent <= blockIndent) blockIndent = undefined
    else if (blockIndent !== undefined) {
      const value = member.exec(line)?.[3]
      if (value !== undefined && !value.endsWith(':') && !isMarker(value) && !isReference(value))
        onMatch(matchOf('kubernetes-secret', 'secret', { value, start: at + line.lastIndexOf(value) }))
    }
    at += line.length + 1
  }
}

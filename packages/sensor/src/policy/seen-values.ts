import type { CedarRequest } from './cedar-request.ts'
import type { CedarValue } from './cedar-value.ts'
import { type AttributePath, valueAt } from './clause-paths.ts'
import { clip } from './clip.ts'
import type { ValuePrivacy } from './decision-point.ts'

const valueBytesMax = 256
const kept = new TextDecoder()

/**
 * Writes the values that clauses saw, as `place = value`. What a client wrote is redacted first, each argument under its
 * own name, for the name may be what tells that it is a secret. Each place is written once per call.
 */
export function createSeenValues(
  request: CedarRequest,
  { redact, keepsValues }: ValuePrivacy,
): (path: AttributePath) => string {
  const written = new Map<string, string>()
  const write = (path: AttributePath): string => {
    const value = valueAt(request, path)
    if (value === undefined) return 'absent'
    if (isPlain(path, value)) return print(value)
    if (!keepsValues) return '(not kept at level metadata)'
    const named = JSON.stringify({ [path.at(-1) ?? '']: value })
    const text = kept.decode(redact(Buffer.from(named)))
    return text.startsWith('{"') ? text.slice(text.indexOf(':') + 1, -1) : text
  }
  return (path) => {
    const place = path.join('.')
    const known = written.get(place)
    if (known !== undefined) return known
    const text = clip(`${place} = ${write(path)}`, valueBytesMax)
    written.set(place, text)
    return text
  }
}

/** As policies write it. */
function print(value: CedarValue): string {
  const uid = typeof value === 'object' && !Array.isArray(value) ? value.__entity : undefined
  if (typeof uid !== 'object' || Array.isArray(uid)) return JSON.stringify(value)
  return `${String(uid.type)}::${JSON.stringify(uid.id)}`
}

const plainContext = new Set(['time', 'session', 'effect', 'posture', 'risk'])

/**
 * What sections `identity` and `environment` hold anyway, redacted already, and what the control feed says. And of our own
 * making: numbers, truths, the time, and words of closed lists.
 */
function isPlain([variable, first]: AttributePath, value: CedarValue): boolean {
  if (variable === 'context' && plainContext.has(first ?? '')) return true
  if (variable === 'action' || variable === 'principal') return true
  if (variable === 'context' && first === 'arguments') return false
  if (typeof value === 'number' || typeof value === 'boolean') return true
  return variable === 'resource' && first === 'classification'
}

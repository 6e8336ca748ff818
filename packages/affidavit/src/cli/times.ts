import { usageError } from './failure.ts'
import type { CommandSpec } from './options.ts'

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const relative = /^(\d{1,9})([smhdw])(?:\s+ago)?$/
const day = /^(\d{4})-(\d{2})-(\d{2})$/
const instant = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?$/

/**
 * A moment as people type it: `15m`, `2h`, `7d` before now, `now`, `2026-11-20` (its first moment, UTC), or RFC 3339.
 * Without a zone it is UTC, as all times here are. Milliseconds since 1970. Throws CommandError `AFD_USAGE`.
 */
export function parseMoment(spec: CommandSpec, option: string, text: string, nowMs: number): number {
  const value = readMoment(text.trim(), nowMs)
  if (value === undefined) {
    throw usageError(
      spec.name,
      `--${option} takes a time such as 15m, 2h, 2026-11-20 or 2026-11-20T11:03:40Z, not '${text}'`,
    )
  }
  return value
}

function readMoment(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs
  const ago = relative.exec(text)
  if (ago !== null) return readRelative(ago, nowMs)
  if (day.test(text)) return exactInstant(`${text}T00:00:00`, 'Z')
  const match = instant.exec(text)
  if (match === null) return undefined
  const [, year, month, date, hour, minute, second = '00', fraction = '', zone = 'Z'] = match
  const ms = `${fraction}000`.slice(0, 3)
  return exactInstant(`${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}`, zone)
}

function readRelative(match: RegExpExecArray, nowMs: number): number | undefined {
  const unit = match[2]
  if (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd' && unit !== 'w') return undefined
  return nowMs - Number(match[1]) * unitMs[unit]
}

/** Date.parse rolls 30 February over into March; an auditor's typing error must not silently move the range. */
function exactInstant(local: string, zone: string): number | undefined {
  const asUtc = Date.parse(`${local}Z`)
  if (Number.isNaN(asUtc) || !new Date(asUtc).toISOString().startsWith(local.slice(0, 19))) return undefined
  const value = Date.parse(`${local}${zone}`)
  return Number.isNaN(value) ? undefined : value
}

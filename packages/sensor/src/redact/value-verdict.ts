import { schemeOf } from './assignments.ts'
import { isMask, isPublicKey, isReference, isVersion, looksSecret } from './filler.ts'
import type { KeyVerdict } from './key-names.ts'
import { isMarker } from './marker.ts'
import { matchOf } from './match.ts'
import type { Match } from './rule.ts'
import { isCredential, passwordOfBasic } from './rules/anchored.ts'
import { type Scan, scanString } from './scan-string.ts'

/** Where in a JSON text a string stands. */
export interface Place {
  scan: Scan
  depth: number
  /** First element of the array around, where it may be a program. */
  command: string | undefined
  /** Element before. */
  option: string | undefined
}

/** What to remove from a string: all of it where its name says so, else what is found in it. */
export function valueMatches(value: string, verdict: KeyVerdict | undefined, place: Place): readonly Match[] {
  const { scan } = place
  if (value === '' || isMarker(value)) return []
  const isOn = verdict !== undefined && scan.enabled.has(verdict.class) && !scan.disabledRules.has(verdict.rule)
  const found = scanString(value, scan, place.depth)
  if (verdict !== undefined && isOn && goesByName(value, verdict)) return wholeValue(value, verdict, found)
  return found.length > 0 ? found : optionValue(value, place)
}

function goesByName(value: string, verdict: KeyVerdict): boolean {
  if (verdict.class === 'custom') return true
  if (isReference(value) || isMask(value) || isMarker(value.slice(schemeOf(value).length))) return false
  if (verdict.strength === 'password')
    return !/^(?:true|false|null|none)$/i.test(value) && !/^[\^~]?\d+\.\d+\.\d+$/.test(value)
  if (verdict.rule === 'cookie') return /=/.test(value) || looksSecret(value)
  if (verdict.strength === 'secret' && (isPublicKey(value) || isVersion(value) || /^\.{1,2}\//.test(value)))
    return false
  if (verdict.strength === 'secret') return !/^(?:true|false|null|none|bearer|basic)$/i.test(value)
  if (verdict.strength === 'pin') return /^\d{3,8}$/.test(value)
  if (verdict.strength === 'card' || verdict.strength === 'ssn') return /\d{4}/.test(value)
  return verdict.strength === 'iban' ? /\d{2}/.test(value) : looksSecret(value)
}

/** The scheme of an Authorization header stays, and a password in Basic is told apart from its user name for the digest. */
function wholeValue(value: string, verdict: KeyVerdict, found: readonly Match[]): readonly Match[] {
  const scheme = verdict.rule === 'authorization' || verdict.rule === 'token' ? schemeOf(value) : ''
  const secret = value.slice(scheme.length)
  const [only] = found
  if (found.length === 1 && only !== undefined && only.start <= scheme.length && only.end === value.length) return found
  if (isMarker(secret) || secret === '') return []
  const plain = /^basic/i.test(scheme) ? (passwordOfBasic(secret) ?? secret) : secret
  return [matchOf(verdict.rule, verdict.class, { value: secret, start: scheme.length, plain })]
}

/** `["curl", "-u", "user:password"]`, `["sshpass", "-p", "password"]`: options that no name gives away. */
function optionValue(value: string, { command, option, scan }: Place): readonly Match[] {
  if (command === undefined || option === undefined || !scan.enabled.has('secret')) return []
  if (/(?:^|[\\/])curl(?:\.exe)?$/.test(command) && /^(?:-u|--user|-U|--proxy-user)$/.test(option)) {
    const colon = value.indexOf(':')
    const password = value.slice(colon + 1)
    return colon >= 0 && isCredential(password)
      ? [matchOf('curl-credential', 'secret', { value: password, start: colon + 1 })]
      : []
  }
  const isPassword = /(?:^|[\\/])sshpass$/.test(command) && option === '-p' && isCredential(value)
  return isPassword ? [matchOf('command-password', 'secret', { value, start: 0 })] : []
}

import { looksSecret } from './filler.ts'
import { judgeKey } from './key-names.ts'
import { matchOf } from './match.ts'
import type { Match } from './rule.ts'
import { isCredential } from './rules/anchored.ts'

const pair =
  /["']?\b(?:name|key|variable|header|id)["']?\s{0,3}[:=]\s{0,3}["']?(?<name>[\w.-]{2,64})["']?[\s,;]{1,40}["']?\b(?:value|content)["']?\s{0,3}[:=]\s{0,3}["']?(?<value>[^\s"'<>,;]{4,4096})/gi

/** Two lines or attributes that belong together: `name: API_TOKEN` and `value: …`, `key="Password" value="…"`. */
export function matchNameValuePairs(text: string, onMatch: (match: Match) => void): void {
  for (const found of text.matchAll(pair)) {
    const { name = '', value = '' } = found.groups ?? {}
    const verdict = judgeKey(name)
    if (verdict === undefined || verdict.class !== 'secret') continue
    if (verdict.strength === 'password' ? !isCredential(value) : !looksSecret(value)) continue
    onMatch(matchOf(verdict.rule, 'secret', { value, start: found.index + found[0].length - value.length }))
  }
}

import { looksSecret } from './filler.ts'
import { matchOf } from './match.ts'
import type { Match } from './rule.ts'
import { isCredential } from './rules/anchored.ts'

const userOption =
  /(?<=^|[\s"'[,])(?:-u|--user|-U|--proxy-user)(?:[ \t=]{1,8}|["'],\s{0,8}|(?=["']))\\?["']?(?<user>[^\s:"'\\]{1,256})["']?:["']?(?<password>[^\s"'\\]{0,256})/g

/** `curl -u user:password`. The name stays unless it is the key itself, as services that take `-u KEY:` have it. */
export function matchCurlUser(text: string, onMatch: (match: Match) => void): void {
  for (const found of text.matchAll(userOption)) {
    const { user = '', password = '' } = found.groups ?? {}
    const passwordStart = found.index + found[0].length - password.length
    if (password !== '' && isPassword(user, password))
      onMatch(matchOf('curl-credential', 'secret', { value: password, start: passwordStart }))
    else if (password === '' && isKey(user))
      onMatch(matchOf('curl-credential', 'secret', { value: user, start: found.index + found[0].indexOf(user) }))
  }
}

function isPassword(user: string, password: string): boolean {
  return password.length >= 3 && password !== user && isCredential(password) && !/^(?:\$|\{\{|<|\[)/.test(password)
}

/** Shorter than what counts as a secret elsewhere, because this place is for nothing else. */
function isKey(user: string): boolean {
  return isCredential(user) && (looksSecret(user) || (user.length >= 8 && /\d/.test(user) && /[^\w]/.test(user)))
}

import { markerStart } from './marker.ts'
import type { RuleClass } from './rule.ts'

/**
 * What a name says about its value. `password`: whatever it is, it is secret. `secret`: any string is. `weak`: only a value
 * that reads like a secret is. The others name a number plan.
 */
export type KeyStrength = 'password' | 'secret' | 'weak' | 'pin' | 'card' | 'iban' | 'ssn'

export interface KeyVerdict {
  strength: KeyStrength
  /** Rule id, as in the marker. */
  rule: string
  class: RuleClass
}

const set = (text: string) => new Set(text.split(' '))

/** Last words that turn a secret's name into the name of something about it. */
const aboutWords = set(
  'id ids name names url uri urls endpoint path paths file filename files dir folder length len size count counts max min ' +
    'limit limits type types kind policy policies rule rules algorithm alg ttl expiry expires expiration expire at date ' +
    'time timestamp timeout issuer audience scope scopes status state enabled disabled required optional field fields ' +
    'label labels prompt placeholder description title version format prefix suffix budget usage used remaining price cost ' +
    'index position provider source store manager variable var vars env parameter param header class module server service ' +
    'user username owner arn region alias ref reference strength change changed reset validator generator encoder rotation ' +
    'in ago age days seconds minutes hours page selector location method mode enum schema pattern regex message error ' +
    'exists present valid verified configured changed updated created supported management input element button form tab ' +
    'vault ring chain ring pair map list table column row type0 per rate stats metrics total credential_id string0',
)
/** First words that ask about a secret instead of giving it. */
const askingWords = set(
  'has is no not use uses needs need require requires required forgot forgotten show hide allow allows enable disable num max min total count public publishable',
)
/** Words before `token(s)` that make it a cursor or a count. */
const cursorWords = set(
  'next page nextpage continuation continue sync pagination paging cursor start prev previous last max min total prompt completion input ' +
    'output cached reasoning num n used context thinking budget stop eos bos pad unk sep cls mask special image audio text ' +
    'remaining generated resume change watch idempotency design progress csrf xsrf authenticity antiforgery nonce',
)
const passwordWords = set(
  'password passwords passwd passphrase passcode pwd pass passwort kennwort senha contrasena contraseña clave wachtwoord ' +
    'motdepasse mdp haslo hasło пароль 密码 口令 パスワード 비밀번호 wpa psk unlockcode',
)
const passwordEndings = /(?:password|passwd|passphrase|passwort|pwd|passcode)s?$/
const secretWords = set(
  'secret authorization cookie cookies jwt bearer mnemonic seedphrase assertion privatekey apikey apitoken apisecret accesstoken ' +
    'refreshtoken authtoken accesskey secretkey clientsecret connectsid phpsessid jsessionid otp totp sessiontoken token ' +
    'webhooksecret keypass storepass authkey pat',
)
const secretEndings =
  /(?:secret|apikey|secretkey|privatekey|accesstoken|authtoken|apitoken|refreshtoken|clientsecret|accesskey|token)$/
const secretTails = [
  /(?:^|_)(?:recovery|backup|verification|security|mfa|otp|totp|sms|one_time|authorization|auth|device|user)_codes?$/,
  /(?:^|_)(?:seed|recovery|backup|mnemonic|pass)_phrase$/,
  /(?:^|_)(?:one_time_(?:password|pad)|code_verifier|client_assertion|id_token_hint|saml_(?:response|assertion)|set_cookie)$/,
  /(?:^|_)(?:account|storage|shared|signing|encryption|decryption|master|ssh|license|hmac|role|subscription|functions?|auth|admin|deploy|root|session|symmetric|aes|rsa|ecdsa|ed25519|tls|ssl|wallet|api|access|secret|private|service|write|read|rw|webhook|ingest|sas|sdk|management|host|cosmos|integration|personal|developer)_keys?$/,
]
/** Words before `key` that make it something to look up with. */
const lookupWords = set(
  'partition sort primary foreign cache idempotency public pub object s3 row routing group message index lookup join unique composite ' +
    'natural surrogate candidate map dict redis translation i18n locale issue project ticket jira config setting property registry hot ' +
    'arrow modifier shortcut dedup deduplication dedupe query react item node path file blob bucket state tuple kms cmk name sub super ' +
    'publishable anon meta parent child entity record event topic kafka prefix shard range search answer feature context const let var val final gpg pgp fingerprint',
)
const weakWords = set('auth credential credentials creds cred keys tokens secrets login access')
const weakTails = /(?:^|_)(?:app|application|client|consumer|user|project|instrumentation|data|hash)_(?:key|auth)$/

/** One look that spares most names the rest. */
const stems =
  /pass|pwd|secret|token|key|auth|cookie|cred|jwt|bearer|mnemonic|phrase|assertion|sid|sess|csrf|xsrf|otp|pin|code|cv[vc]|ssn|social|card|iban|cc|login|psk|wpa|pat|clave|kennwort|senha|contrase|wachtwoord|mot|mdp|has|saml|verifier|hint|requeststate|request_state|[^\0-\x7f]/i

const cache = new Map<string, KeyVerdict | undefined>()
const cacheEntriesMax = 20_000

/** Judges a key, header, flag, variable or column name, whatever its case and separators. */
export function judgeKey(name: string): KeyVerdict | undefined {
  if (name.length < 2 || name.length > 128 || name.includes('/') || name.includes(markerStart) || !stems.test(name))
    return undefined
  if (cache.has(name)) return cache.get(name)
  const verdict = judge(wordsOf(name))
  if (cache.size >= cacheEntriesMax) cache.clear()
  cache.set(name, verdict)
  return verdict
}

/** `X-Api-Key`, `apiKey`, `API_KEY2` → [`x`, `api`, `key`] or the like. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => (/\p{L}/u.test(word) ? word.replace(/\d+$/, '') : word))
    .filter((word) => word !== '')
}

/** Whether a name speaks about something instead of holding it: `type`, `expires_at`, `name`. */
export function isAboutKey(name: string): boolean {
  return aboutWords.has(wordsOf(name).at(-1) ?? '')
}

function judge(words: readonly string[]): KeyVerdict | undefined {
  const last = words.at(-1)
  const first = words[0]
  if (last === undefined || first === undefined) return undefined
  const joined = words.join('_')
  const personal = judgePersonal(joined, words)
  if (personal !== undefined) return personal
  // What a modern server hands to its client between rounds: opaque, and as good as a credential.
  if (joined === 'request_state') return verdict('secret', 'request-state')
  if (aboutWords.has(last) || (words.length > 1 && askingWords.has(first))) return undefined
  if (isPasswordName(words, last)) return verdict('password', 'password')
  if (/(?:^|_)(?:pin|pincode|pin_code|pin_number|pin_no)$/.test(joined)) return verdict('pin', 'pin')
  return judgeSecret(words, last, joined)
}

const afterPassword = set(
  'hash hashed confirm confirmation value text plain plaintext new old again hint repeat encrypted raw',
)

/** The word itself at the end (`db_password`, `pgpassword`), or in front of one that says which. */
function isPasswordName(words: readonly string[], last: string): boolean {
  if (passwordWords.has(last) || passwordEndings.test(last)) return true
  const before = words.at(-2)
  return (
    before !== undefined &&
    before !== 'pass' &&
    afterPassword.has(last) &&
    (passwordWords.has(before) || passwordEndings.test(before))
  )
}

function judgeSecret(words: readonly string[], last: string, joined: string): KeyVerdict | undefined {
  if (/tokens?$/.test(last)) {
    if (words.some((word) => cursorWords.has(word)) || /^(?:next|page|continuation|sync|cursor)/.test(last))
      return undefined
    return last.endsWith('s') ? verdict('weak', 'token') : verdict('secret', 'token')
  }
  const rule = /key/.test(last)
    ? 'api-key'
    : /cookie|sess|connectsid/.test(last)
      ? 'cookie'
      : last === 'authorization'
        ? 'authorization'
        : 'secret'
  if (last === 'sid') return joined === 'connect_sid' ? verdict('secret', 'cookie') : undefined
  if (secretWords.has(last) || secretEndings.test(last)) return verdict('secret', rule)
  if (secretTails.some((tail) => tail.test(joined))) return verdict('secret', rule)
  if (weakWords.has(last) || weakTails.test(joined)) return verdict('weak', rule)
  if (words.includes('secret')) return verdict('weak', 'secret')
  if (last === 'key' && words.length > 1 && !lookupWords.has(words.at(-2) ?? '')) return verdict('weak', 'api-key')
  return undefined
}

function judgePersonal(joined: string, words: readonly string[]): KeyVerdict | undefined {
  if (/(?:^|_)(?:ssn|social_security(?:_number|_no)?|socialsecuritynumber)$/.test(joined)) return verdict('ssn', 'ssn')
  if (/(?:^|_)(?:cvv|cvc|cvv2|cvc2|card_verification(?:_value|_code)?|card_security_code)$/.test(joined))
    return verdict('pin', 'card-security-code')
  if (
    /(?:^|_)(?:card|creditcard|credit_card|cc|debit_card)_(?:number|no|num|pan)$/.test(joined) ||
    joined === 'cardnumber'
  )
    return verdict('card', 'card')
  return words.at(-1) === 'iban' ? verdict('iban', 'iban') : undefined
}

function verdict(strength: KeyStrength, rule: string): KeyVerdict {
  return {
    strength,
    rule,
    class: strength === 'card' || strength === 'iban' || strength === 'ssn' ? strength : 'secret',
  }
}

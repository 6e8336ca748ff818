/** Values that are no secrets: references to one, masks, examples. A short list errs towards removing. */

const references = [
  /^\$\{[^{}]{1,200}\}$/,
  /^\$?\{\{[^{}]{1,200}\}\}$/,
  /^\$\([^()]{1,200}\)$/,
  /^\$[A-Z_][A-Z0-9_]{1,80}$/,
  /^\$(?:env:)?[A-Za-z_][A-Za-z0-9_]{2,80}$/,
  /^\$\d$/,
  /^%[A-Za-z_][A-Za-z0-9_]{1,80}%$/,
  /^<[A-Za-z][A-Za-z0-9 _.:-]{0,80}>$/,
  /^\{[A-Za-z_.]{1,40}\d{0,2}(?:![rsa])?\}$/,
  /^\[[A-Z][A-Z _-]{1,40}\]$/,
  /^(?:!Ref|!Sub|!ImportValue|vault:|op:\/\/|env:|ssm:|arn:aws:secretsmanager:)/,
  /^(?:process\.env|os\.environ|os\.getenv|secrets|vars|env|var|local|data|module|config|settings|self|this|args|opts|options|params)[.[(]/,
]

const words = new Set(
  (
    'null nil none true false undefined string str text char bytes bool boolean int integer number object any void ' +
    'password passwd pwd pass secret token key apikey passphrase username user test testing example sample dummy fake ' +
    'placeholder changeme change-me redacted removed hidden masked secure required optional default empty unknown ' +
    'yes no on off your here value todo tbd foo bar baz foobar var self this input output type enabled disabled ' +
    'basic bearer digest include omit same-origin pass passed fail failed ok error warn skip skipped'
  ).split(' '),
)

/** Names of something that holds a secret rather than the secret: `${DB_PASSWORD}`, `<token>`, `$env:KEY`, `process.env.X`. */
export function isReference(value: string): boolean {
  return value.length <= 220 && references.some((reference) => reference.test(value))
}

/** Masks such as `****`, `xxxx`, `......`. */
export function isMask(value: string): boolean {
  return /^(?:[*•.:\-_xX#]+)$/.test(value)
}

/** A word that stands where a secret would: `password`, `changeme`, `YOUR_TOKEN_HERE`, `ACCESS_TOKEN`. */
export function isPlaceholderWord(value: string): boolean {
  if (value.length > 120) return false
  const lower = value.toLowerCase()
  if (words.has(lower) || words.has(lower.replace(/[^a-z]/g, ''))) return true
  if (/(?:^|[^a-z])(?:your|my)[-_ ]?[a-z-_ ]*(?:here|token|key|secret|password)/.test(lower)) return true
  if (/placeholder|changeme|change_me|redacted|insert[-_ ]|replace[-_ ]?(?:me|with)|put_your/.test(lower)) return true
  return /^[A-Z]+(?:_[A-Z]+)+$/.test(value)
}

/** Bits per character by the value's own distribution (Shannon). */
export function entropyOf(value: string): number {
  const counts = new Uint32Array(128)
  for (let i = 0; i < value.length; i++) {
    const at = value.charCodeAt(i) & 127
    counts[at] = (counts[at] ?? 0) + 1
  }
  let bits = 0
  for (const count of counts) if (count > 0) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits
}

/** Share of characters in runs of at least six that count up: `123456`, `abcdef`. */
export function sequentialShare(value: string): number {
  let inRuns = 0
  let run = 1
  for (let i = 1; i <= value.length; i++) {
    const step = value.charCodeAt(i) - value.charCodeAt(i - 1)
    if (step === 1 || (value[i] === '0' && value[i - 1] === '9')) run++
    else {
      if (run >= 6) inRuns += run
      run = 1
    }
  }
  return value.length === 0 ? 0 : inRuns / value.length
}

/** Filler behind a provider's prefix: `xxxx…`, `EXAMPLEEXAMPLE`, `123123123`. */
export function isFiller(value: string): boolean {
  const head = value.slice(0, 512)
  const real = head.replace(/EXAMPLE|REDACTED|PLACEHOLDER|X{5,}|x{5,}|\*{3,}|\.{3,}/g, '')
  if (real.length < head.length / 2) return true
  return entropyOf(head) < 2.2
}

/** Words with at most a version behind them: `jjwt-jackson-0.11.2`, `prod_db_v2`. */
const slug = /^[a-z]{2,}(?:[-_.][a-z]{2,}){0,12}(?:[-_.]?v?\d{1,4}(?:\.\d{1,6}){0,4})?$/i

/** An identifier in code: `base64FromBytes`. */
const camelWords = /^[A-Za-z][a-z]+\d{0,3}(?:[A-Z][a-z]+\d{0,3}[a-z]{0,12}){1,8}$/

/** Code that reads a secret from somewhere: `core_1.crypto.createPublicKey`. */
function isPropertyPath(value: string): boolean {
  return /^[A-Za-z_$][\w$]{0,40}(?:\??\.[A-Za-z_$#][\w$]{0,40})+$/.test(value) && !/\d\D*\d\D*\d/.test(value)
}

/** Keys and certificates that are meant to be shown. */
export function isPublicKey(value: string): boolean {
  return /^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-|sk-(?:ssh|ecdsa)|-----BEGIN (?:[A-Z0-9]+ )?(?:PUBLIC KEY|CERTIFICATE))/.test(
    value,
  )
}

/** A version or a range of versions, as dependency lists give to names such as `cookie` or `jsonwebtoken`. */
export function isVersion(value: string): boolean {
  return (
    value.length < 24 &&
    /^(?:[\^~<>=v ]{0,3}\d+(?:\.(?:\d+|x|\*)){0,3}(?:-[a-z]+[.\d]*)?|\*|latest|workspace:.*|npm:.*)$/.test(value)
  )
}

/** Whether a value reads like a machine-made secret: enough characters, digits among letters, no pattern, no word. */
export function looksSecret(value: string): boolean {
  if (value.length < 10 || value.length > 8192) return false
  if (
    isPublicKey(value) ||
    isVersion(value) ||
    camelWords.test(value) ||
    isPropertyPath(value) ||
    /^[<{[(]|\.\.$|\.\.\.|…|\$\{/.test(value) ||
    slug.test(value)
  )
    return false
  if (isReference(value) || isMask(value) || isPlaceholderWord(value) || isFiller(value)) return false
  if (/\s/.test(value) || /^[a-z][a-z0-9+.-]*:\/\//i.test(value) || /^(?:[A-Za-z]:\\|\.{0,2}\/|~\/)/.test(value))
    return false
  if (/^[\d.,:_\-+TZ ]+$/.test(value) || /^v?\d+(?:\.\d+)+/.test(value)) return false
  const head = value.slice(0, 256)
  if (sequentialShare(head) > 0.4) return false
  const isHex = /^[0-9a-fA-F-]+$/.test(head)
  if (!/\d/.test(head)) return head.length >= 20 && changesOfCase(head) >= 5 && entropyOf(head) >= 3.8
  if (!/[A-Za-z]/.test(head)) return false
  return entropyOf(head) >= (isHex ? 2.5 : 2.9)
}

function changesOfCase(value: string): number {
  let changes = 0
  for (let i = 1; i < value.length; i++)
    if (/[a-z]/.test(value[i - 1] ?? '') !== /[a-z]/.test(value[i] ?? '')) changes++
  return changes
}

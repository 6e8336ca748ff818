import { isAboutKey, judgeKey, type KeyVerdict } from './key-names.ts'

/** A string that may turn out to be the value of a name which comes after it. */
export interface Pending {
  start: number
  end: number
  value: string
  /** Its name, in objects. */
  key: string
}

/** One open object or array. */
export interface Frame {
  isArray: boolean
  /** Current member's name, or undefined before the first. */
  key: string | undefined
  index: number
  /** From the name of a container around: `"credentials": {…}`. */
  inherited: KeyVerdict | undefined
  /** From a sibling: `"name": "password"` beside `"value"`. */
  named: KeyVerdict | undefined
  pending: Pending | undefined
  /** Value of the member `kind`: what a Kubernetes manifest is. */
  kind: string | undefined
  /** In arrays: the strings before, for `--password` and for pairs. */
  first: string | undefined
  previous: string | undefined
}

export function openFrame(type: 'beginArray' | 'beginObject', inherited: KeyVerdict | undefined): Frame {
  return {
    isArray: type === 'beginArray', key: undefined, index: -1, inherited, named: undefined, kind: undefined, pending: undefined, first: undefined, previous: undefined,
  } // biome-ignore format: one line of fields
}

const nameKeys = /^(?:name|key|header|field|variable|param|parameter|env|k|header_?name|headerName|envName|option)$/i
const valueKeys = /^(?:value|val|data|v|header_?value|values|secret_?value|string_?value)$/i

export function isNameKey(key: string): boolean {
  return nameKeys.test(key)
}

export function isValueKey(key: string): boolean {
  return valueKeys.test(key)
}

/** What the place of the next value in this frame says about it. */
export function verdictAt(frame: Frame | undefined): KeyVerdict | undefined {
  if (frame === undefined) return undefined
  if (frame.isArray) return flagVerdict(frame.previous) ?? frame.inherited
  const key = frame.key ?? ''
  const own = judgeKey(key)
  if (own !== undefined) return own
  if (frame.named !== undefined && isValueKey(key)) return frame.named
  if (frame.inherited === undefined || takesAll(frame.inherited)) return frame.inherited
  return isAboutKey(key) ? undefined : frame.inherited
}

/** `["--password", "…"]`: the flag names the element behind it. */
function flagVerdict(previous: string | undefined): KeyVerdict | undefined {
  return previous !== undefined && /^--?[A-Za-z][\w-]{1,60}$/.test(previous)
    ? judgeKey(previous.replace(/^-+/, ''))
    : undefined
}

/** `["Authorization", "…"]`: a pair whose first element is a name. Known only when the array ends. */
export function pairVerdict(frame: Frame): KeyVerdict | undefined {
  const isPair = frame.isArray && frame.index === 1 && frame.first !== undefined && /^[\w.-]{2,64}$/.test(frame.first)
  return isPair && frame.first !== undefined && !frame.first.startsWith('-') ? judgeKey(frame.first) : undefined
}

const kubernetesSecret: KeyVerdict = { strength: 'secret', rule: 'kubernetes-secret', class: 'secret' }

/** Users' rules and manifests mean every member, whatever its name says. */
function takesAll(verdict: KeyVerdict): boolean {
  return verdict.class === 'custom' || verdict.rule === kubernetesSecret.rule
}

/** Names reach into the containers they name; `weak` ones too. A flag's verdict ends at its own value. */
export function inheritedBy(frame: Frame | undefined): KeyVerdict | undefined {
  if (frame?.kind === 'Secret' && /^(?:stringData|data)$/.test(frame.key ?? '')) return kubernetesSecret
  const verdict = verdictAt(frame)
  return verdict?.strength === 'pin' ? undefined : verdict
}

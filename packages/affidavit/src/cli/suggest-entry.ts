import type { EffectClass } from '@affidavit/evidence/record/kinds'
import { effectWords, kindWords, parameterWords } from './suggest-words.ts'

/** What is known of a tool: from its definition, and from the calls that were seen. */
export interface ObservedTool {
  server: string
  name: string
  description: string
  parameters: readonly string[]
  /** As the record of the definition has them, e.g. `readOnlyHint: true`. */
  annotations: readonly string[]
  /** Members of the arguments that were seen, with a string that stood there. */
  values: ReadonlyMap<string, string>
}

/** An entry to be looked at. `why` has a sentence for each thing that it says or leaves open. */
export interface Suggestion {
  server: string
  tool: string
  effect: EffectClass | undefined
  sensitivity: string | undefined
  dataTypes: string[]
  extract: { as: string; from: string | Record<string, string> }[]
  why: string[]
}

export function suggestEntry(tool: ObservedTool): Suggestion {
  const effect = suggestEffect(tool)
  const found = suggestKind(tool)
  const extract = suggestExtract(tool)
  return {
    server: tool.server,
    tool: tool.name,
    effect: effect.value,
    sensitivity: found?.level,
    dataTypes: found === undefined ? [] : [found.types],
    extract,
    why: [
      effect.why,
      found === undefined
        ? 'sensitivity: no word tells; say it'
        : `sensitivity: at least this, for the word '${found.word}'`,
    ],
  }
}

/** A claim to be harmless does not outweigh a name that says otherwise; one to destroy does. */
function suggestEffect({ name, annotations }: ObservedTool): { value: EffectClass | undefined; why: string } {
  const isReadClaimed = annotations.includes('readOnlyHint: true')
  if (!isReadClaimed && annotations.includes('destructiveHint: true'))
    return { value: 'destructive', why: 'effect: the server claims destructiveHint' }
  const ofName = wordsOf(name)
  for (const [effect, verbs] of effectWords) {
    const verb = ofName.find((word) => verbs.has(word))
    if (verb === undefined) continue
    const doubt = isReadClaimed && effect !== 'read' ? ', though the server claims readOnlyHint' : ''
    return { value: effect, why: `effect: the name has '${verb}'${doubt}` }
  }
  if (isReadClaimed) return { value: 'read', why: 'effect: the server claims readOnlyHint; check it' }
  return { value: undefined, why: 'effect: neither name nor annotations tell; say it' }
}

function suggestKind({ name, description, parameters }: ObservedTool) {
  const seen = new Set([name, ...parameters, description].flatMap(wordsOf))
  for (const { types, level, words } of kindWords) {
    const word = [...words].find((each) => seen.has(each))
    if (word !== undefined) return { types, level, word }
  }
  return undefined
}

function suggestExtract({ parameters, values }: ObservedTool): Suggestion['extract'] {
  const all = [...new Set([...parameters, ...values.keys()])].filter((name) => isTopLevel(name))
  const has = (...names: string[]) => names.every((name) => all.includes(name))
  const taken = new Set<string>()
  const extract: Suggestion['extract'] = []
  const take = (as: string, parts: Record<string, string>) => {
    for (const name of Object.values(parts)) taken.add(name)
    extract.push({ as, from: Object.fromEntries(Object.entries(parts).map(([part, name]) => [part, pointerTo(name)])) })
  }
  if (has('owner', 'repo')) take('repository', { owner: 'owner', repo: 'repo' })
  if (has('bucket')) take('bucket', { bucket: 'bucket', ...(has('key') ? { key: 'key' } : {}) })
  if (has('kind', 'namespace'))
    take('kubernetes', { kind: 'kind', namespace: 'namespace', ...(has('name') ? { name: 'name' } : {}) })
  for (const name of all) {
    const as = taken.has(name) ? undefined : (extractorOf(values.get(name)) ?? extractorNamed(name))
    if (as !== undefined) extract.push({ as, from: pointerTo(name) })
  }
  return extract
}

/** What was seen tells more than what it is called. */
function extractorOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  if (/^(?:s3|gs|az):\/\//.test(value)) return 'bucket'
  if (/^https?:\/\//.test(value)) return 'url'
  if (/^(?:\/|\.{1,2}\/|~\/|[A-Za-z]:\\|file:)/.test(value)) return 'path'
  return value.startsWith('[REDACTED:email') ? 'recipient' : undefined
}

function extractorNamed(name: string): string | undefined {
  const last = wordsOf(name).at(-1) ?? ''
  return parameterWords.find(([, words]) => words.has(last))?.[0]
}

/** Nested ones are written with dots and brackets, and hard to tell from names that have them. */
function isTopLevel(name: string): boolean {
  return /^[A-Za-z_$][\w$-]*$/.test(name)
}

const pointerTo = (name: string) => `/${name}`

/** In lower case: `readTextFile`, `read_text_file` and `read-text-file` are the same three words. */
function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

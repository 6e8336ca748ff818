import type { Token } from './tokens.ts'

const synonyms: Readonly<Record<string, string>> = {
  exec: 'execute', desc: 'describe', start: 'begin', end: 'commit', abort: 'rollback', ls: 'list', rm: 'remove',
  values: 'select', table: 'select',
} // biome-ignore format: a table
const mains = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'REPLACE', 'VALUES', 'TABLE'])

/** The verb that a statement's leading keywords say, in lower case; absent where it begins with none. */
export function verbOf(tokens: readonly Token[]): string | undefined {
  const first = tokens.find((token) => token.text !== '(')
  if (first?.kind !== 'word' || !/^[A-Z]{1,20}$/.test(first.text)) return undefined
  if (first.text === 'WITH') {
    const main = tokens.find((token) => token.depth === 0 && token.kind === 'word' && mains.has(token.text))
    const verb = main?.text.toLowerCase() ?? 'with'
    return Object.hasOwn(synonyms, verb) ? synonyms[verb] : verb
  }
  const word = first.text.toLowerCase()
  if (word === 'bulk') return 'bulk insert'
  return Object.hasOwn(synonyms, word) ? synonyms[word] : word
}

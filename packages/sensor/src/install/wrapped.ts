import { posix, win32 } from 'node:path'
import type { Node } from 'jsonc-parser'
import { memberOf, textOf } from './document.ts'

/**
 * Recognises `affidavit run … -- COMMAND`, whoever wrote it, so that nothing is wrapped twice and everything can be undone
 * without a memory of what was done.
 */

/** Options of `run` that take a value. */
const runOptions = ['--server', '--config', '--home', '--collector', '--level', '--fail-open']

/** Where the wrapped command begins in the words of a command line, and the name that records carry. */
export interface WrappedAt {
  at: number
  server?: string
}

/** Undefined where the words are no `affidavit run`. */
export function findWrapped(words: readonly string[]): WrappedAt | undefined {
  for (let run = words.indexOf('run', 1); run > 0; run = words.indexOf('run', run + 1)) {
    const options = words.slice(0, run).some(namesAffidavit) ? readOptions(words, run + 1) : undefined
    if (options !== undefined) return options
  }
  return undefined
}

/** Words of the command line that an entry starts; undefined where it has no command. */
export function commandLineOf(entry: Node | undefined): string[] | undefined {
  const command = textOf(memberOf(entry, 'command')?.value)
  if (command === undefined) return undefined
  const args = memberOf(entry, 'args')?.value
  return [command, ...(args?.children ?? []).map((element) => textOf(element) ?? '')]
}

/** The options of `run` up to `--` and a command behind it, strictly. */
function readOptions(words: readonly string[], from: number): WrappedAt | undefined {
  let server: string | undefined
  for (let at = from; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--')
      return at + 1 < words.length ? { at: at + 1, ...(server === undefined ? {} : { server }) } : undefined
    const [name = '', ...inline] = word.split('=')
    if (!runOptions.includes(name)) return undefined
    const value = inline.length > 0 ? inline.join('=') : words[++at]
    if (name === '--server') server = value
  }
  return undefined
}

/** `affidavit`, `/usr/local/bin/affidavit`, `affidavit.js`, `affidavit@1.2.3`, `@affidavit/sensor`, `affidavit-sensor.cmd`. */
export function namesAffidavit(word: string): boolean {
  if (word.startsWith('@affidavit/')) return true
  const name = posix.basename(win32.basename(word)).toLowerCase()
  return /^affidavit(?:-sensor)?(?:@[\w.^~-]+)?(?:\.(?:[cm]?js|cmd|exe|ps1|bat))?$/.test(name)
}

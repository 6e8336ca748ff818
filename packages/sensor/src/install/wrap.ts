import type { Edit, Node } from 'jsonc-parser'
import { memberOf, membersOf } from './document.ts'
import { commandLineOf, findWrapped } from './wrapped.ts'

/**
 * Edits that put `affidavit run` in front of a server's command, and take it away again. Nothing is rewritten that stays:
 * the command's own literal moves, as it is written, behind the words that are put before it. So taking them away restores
 * every byte, also where other parts of the file changed meanwhile.
 */

/** What an entry no longer shows once it is wrapped, and what its exact undoing needs to know. */
export interface WrapMemory {
  /** There was no `args`. */
  argsAbsent?: true
  /** Words that were put between `--` and the command, because Windows starts scripts through `cmd /c` only. */
  shimWords?: number
}

export interface WrapWords {
  /** The program that clients start. */
  program: string
  /** What follows it, up to and with `--`. */
  before: readonly string[]
  /** Put between `--` and the command. */
  shim: readonly string[]
}

/** Wraps an entry with a string `command` and, if any, an array `args`. */
export function wrapEdits(text: string, entry: Node, words: WrapWords): { edits: Edit[]; memory: WrapMemory } {
  const command = memberOf(entry, 'command')
  if (command === undefined) throw new TypeError('an entry without a command cannot be wrapped')
  const own = text.slice(command.value.offset, endOf(command.value))
  const literals = [...[...words.before, ...words.shim].map((word) => JSON.stringify(word)), own]
  const args = memberOf(entry, 'args')
  const shimWords = words.shim.length
  return {
    edits: [
      { offset: command.value.offset, length: command.value.length, content: JSON.stringify(words.program) },
      args === undefined ? addArgs(text, command.whole, literals) : prepend(text, args.value, literals),
    ],
    memory: { ...(args === undefined ? { argsAbsent: true } : {}), ...(shimWords === 0 ? {} : { shimWords }) },
  }
}

/** Undoes wrapEdits, and what somebody wrapped by hand. Undefined where the entry is not wrapped. */
export function unwrapEdits(text: string, entry: Node, memory: WrapMemory): Edit[] | undefined {
  const words = commandLineOf(entry)
  const wrapped = words === undefined ? undefined : findWrapped(words)
  const command = memberOf(entry, 'command')
  const args = memberOf(entry, 'args')
  if (words === undefined || wrapped === undefined || command === undefined || args === undefined) return undefined
  const elements = args.value.children ?? []
  const shimWords = memory.shimWords ?? 0
  // Words begin with the command, elements behind it. What stands behind `cmd /c` is the command if it is still there.
  const at = wrapped.at - 1 + (elements.length > wrapped.at - 1 + shimWords ? shimWords : 0)
  const own = elements[at]
  const first = elements[0]
  if (own === undefined || first === undefined) return undefined
  const next = elements[at + 1]
  const literal = text.slice(own.offset, endOf(own))
  const restored = { offset: command.value.offset, length: command.value.length, content: literal }
  if (memory.argsAbsent === true && next === undefined && isBehind(args.whole, command.whole, entry))
    return [restored, cut(endOf(command.whole), endOf(args.whole))]
  return [restored, cut(first.offset, next?.offset ?? endOf(own))]
}

const endOf = ({ offset, length }: Node) => offset + length
const cut = (from: number, to: number): Edit => ({ offset: from, length: to - from, content: '' })

/** A line of their own where the first element has one; one line where the array has one. */
function prepend(text: string, args: Node, literals: readonly string[]): Edit {
  const [first, second] = args.children ?? []
  if (first === undefined) return { offset: args.offset + 1, length: 0, content: literals.join(', ') }
  const lead = text.slice(args.offset + 1, first.offset)
  const line = /(\r\n|\n|\r)([ \t]*)[^\r\n]*$/.exec(lead)
  const between = second === undefined ? ', ' : text.slice(endOf(first), second.offset)
  const inline = /^, *$/.test(between) ? between : ', '
  const separator = line === null ? inline : `,${line[1]}${line[2]}`
  return { offset: first.offset, length: 0, content: `${literals.join(', ')}${separator}` }
}

/** `args` right behind `command`, in its manner. */
function addArgs(text: string, command: Node, literals: readonly string[]): Edit {
  const [key, value] = command.children ?? []
  const colon = key === undefined || value === undefined ? '' : text.slice(endOf(key), value.offset)
  const indent = /(\r\n|\n|\r)([ \t]*)$/.exec(text.slice(0, command.offset))
  const separator = indent === null ? (colon === ':' ? ',' : ', ') : `,${indent[1]}${indent[2]}`
  const content = `${separator}"args"${/^ *: *$/.test(colon) ? colon : ': '}[${literals.join(', ')}]`
  return { offset: endOf(command), length: 0, content }
}

/** Whether one member directly follows the other: then nothing but what was put there goes with it. */
function isBehind(member: Node, before: Node, entry: Node): boolean {
  const order = membersOf(entry).map(({ whole }) => whole)
  return order.indexOf(member) === order.indexOf(before) + 1
}

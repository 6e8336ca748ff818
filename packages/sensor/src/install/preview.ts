import { applyEdits, type Edit, type Node, visit } from 'jsonc-parser'
import { type DiffLine, diffLines, trimContext } from './diff.ts'
import { type ConfigDocument, isUnparsable, lineAt, membersOf, parseDocument, textOf } from './document.ts'
import type { FilePlan } from './planned.ts'
import { findServer, listServers, type Server } from './servers.ts'

/**
 * What a change looks like on a terminal. Configuration files hold tokens in env, headers, arguments, URLs and comments, so
 * only the changed entries are shown and in them only values that are made fit for it; every other value is hidden.
 */

/** Takes secrets out of what is shown. */
export interface Masker {
  /** The words of a command line, as many as it is given. */
  words(words: readonly string[]): string[]
  url(url: string): string
  text(text: string): string
}

/** The change of one entry. Lines are counted from 1, as the file has them before and after. */
export interface Hunk {
  server: string
  oldStart: number
  newStart: number
  lines: DiffLine[]
}

const contextLines = 2
export const hiddenValue = '***'

export function previewChanges({ location, before, after, entries }: FilePlan, masker: Masker): Hunk[] {
  const [old, now] = [parseDocument(before), parseDocument(after)]
  if (isUnparsable(old) || isUnparsable(now)) return []
  const oldServers = listServers(old.root, location.servers)
  const newServers = listServers(now.root, location.servers)
  return entries.flatMap(({ path }) => {
    const [was, is] = [findServer(oldServers, path), findServer(newServers, path)]
    if (was === undefined || is === undefined) return []
    const diff = diffLines(maskEntry(old, was, masker), maskEntry(now, is, masker))
    const { skipped, lines } = trimContext(diff, contextLines)
    const start = (document: ConfigDocument, { member }: Server) => lineAt(document.text, member.whole.offset) + skipped
    return [{ server: was.name, oldStart: start(old, was), newStart: start(now, is), lines }]
  })
}

/** The lines of an entry, indented as in the file, without what nobody should read over a shoulder. */
function maskEntry({ text }: ConfigDocument, { member }: Server, masker: Masker): string[] {
  const { offset, length } = member.whole
  const edits = [...maskMembers(member.value, masker), ...maskComments(text, member.whole, masker)]
  const lineStart = text.slice(0, offset).search(/[^\r\n]*$/)
  const before = text.slice(lineStart, offset)
  const indent = /^[ \t]*$/.test(before) ? before : ''
  const shifted = edits.map((edit) => ({ ...edit, offset: edit.offset - offset }))
  return (indent + applyEdits(text.slice(offset, offset + length), shifted)).split(/\r\n|\r|\n/)
}

function maskMembers(entry: Node, masker: Masker): Edit[] {
  const members = membersOf(entry)
  const command = members.findLast(({ name }) => name === 'command')?.value
  const args = members.findLast(({ name }) => name === 'args')?.value
  const words = [command, ...(args?.children ?? [])].filter((node) => node?.type === 'string')
  const others = members.filter(({ value }) => value !== command && value !== args)
  const unseen = (args?.children ?? []).filter((node) => node.type !== 'string')
  return [
    ...maskWords(words, masker),
    ...unseen.flatMap(hideValues),
    ...others.flatMap(({ name, value }) => maskMember(name, value, masker)),
  ]
}

function maskWords(nodes: readonly (Node | undefined)[], masker: Masker): Edit[] {
  const strings = nodes.filter((node) => node !== undefined)
  const masked = masker.words(strings.map((node) => textOf(node) ?? ''))
  return strings.flatMap((node, i) => replaceText(node, masked[i] ?? hiddenValue))
}

const plainMembers = new Set(['type', 'transport', 'cwd', 'envFile'])

function maskMember(name: string, value: Node, masker: Masker): Edit[] {
  const text = textOf(value)
  if (text !== undefined && name === 'url') return replaceText(value, masker.url(text))
  if (text !== undefined && plainMembers.has(name)) return replaceText(value, masker.text(text))
  return value.type === 'boolean' || value.type === 'null' ? [] : hideValues(value)
}

function hideValues(node: Node): Edit[] {
  if (node.type === 'object') return membersOf(node).flatMap(({ value }) => hideValues(value))
  if (node.type === 'array') return (node.children ?? []).flatMap(hideValues)
  return [{ offset: node.offset, length: node.length, content: JSON.stringify(hiddenValue) }]
}

function replaceText(node: Node, shown: string): Edit[] {
  if (shown === textOf(node)) return []
  return [{ offset: node.offset, length: node.length, content: JSON.stringify(shown) }]
}

/** Comments often hold what was there before: a whole entry, its token included. Only plain words are shown. */
const plainComment = /^[\p{L}\s.,;!?()/*-]*$/u

function maskComments(text: string, within: Node, masker: Masker): Edit[] {
  const edits: Edit[] = []
  visit(text, {
    onComment: (offset, length) => {
      if (offset < within.offset || offset + length > within.offset + within.length) return
      const comment = text.slice(offset, offset + length)
      const hidden = comment.startsWith('//') ? `// ${hiddenValue}` : `/* ${hiddenValue} */`
      const content = plainComment.test(comment) ? masker.text(comment) : hidden
      if (content !== comment) edits.push({ offset, length, content })
    },
  })
  return edits
}

import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'

/** A client's configuration file, parsed with comments and trailing commas allowed: JSON is a part of that. */
export interface ConfigDocument {
  /** Without the byte order mark; offsets of nodes count in it. */
  text: string
  /** U+FEFF where the file began with one. */
  mark: string
  /** Undefined where the file is empty or holds nothing but blanks and comments. */
  root: Node | undefined
}

/** Why a file is left alone. `line` counts from 1. */
export interface Unparsable {
  line?: number
  reason: string
}

const byteOrderMark = '\uFEFF'

const reasons: Readonly<Record<string, string>> = {
  InvalidSymbol: 'there is a word that JSON does not know',
  InvalidNumberFormat: 'there is a number that JSON does not know',
  PropertyNameExpected: 'a name in quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a } is missing',
  CloseBracketExpected: 'a ] is missing',
  EndOfFileExpected: 'something follows the end of the JSON',
  UnexpectedEndOfComment: 'a comment does not end',
  UnexpectedEndOfString: 'a string does not end',
  UnexpectedEndOfNumber: 'a number does not end',
  InvalidUnicode: 'there is a \\u without its four digits',
  InvalidEscapeCharacter: 'there is a backslash before a character that needs none',
  InvalidCharacter: 'there is a control character in a string',
}

/** Parses a file's bytes; never throws. What is not UTF-8 or not JSON comes back with its line and the reason. */
export function parseDocument(bytes: Uint8Array): ConfigDocument | Unparsable {
  const decoded = decode(bytes)
  if (decoded === undefined) return { reason: 'it is not UTF-8' }
  const mark = decoded.startsWith(byteOrderMark) ? byteOrderMark : ''
  const text = decoded.slice(mark.length)
  const errors: ParseError[] = []
  const root = parseNodes(text, errors)
  if (root === 'too deep') return { reason: 'it is nested too deeply' }
  const [first] = errors
  const isEmpty = root === undefined && errors.every(({ error }) => printParseErrorCode(error) === 'ValueExpected')
  if (first === undefined || isEmpty) return { text, mark, root }
  const reason = reasons[printParseErrorCode(first.error)] ?? 'it is not JSON'
  return { line: lineAt(text, first.offset), reason }
}

export function isUnparsable(parsed: ConfigDocument | Unparsable): parsed is Unparsable {
  return 'reason' in parsed
}

/** The bytes of the file with another text; the byte order mark stays. */
export function encodeDocument({ mark }: ConfigDocument, text: string): Uint8Array {
  return Buffer.from(mark + text)
}

/** Number of the line that an offset lies in, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split(/\r\n|\r|\n/).length
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** The parser recurses, so ten thousand levels exhaust the stack. */
function parseNodes(text: string, errors: ParseError[]): Node | undefined | 'too deep' {
  try {
    return parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  } catch (error) {
    if (error instanceof RangeError) return 'too deep'
    throw error
  }
}

/** A member of an object: its key, its value, and both with the colon. */
export interface Member {
  name: string
  key: Node
  value: Node
  whole: Node
}

/** Members in the order of the file, a name that was written twice twice. */
export function membersOf(node: Node | undefined): Member[] {
  if (node?.type !== 'object') return []
  return (node.children ?? []).flatMap((whole) => {
    const [key, value] = whole.children ?? []
    return key === undefined || value === undefined ? [] : [{ name: String(key.value), key, value, whole }]
  })
}

/** The member that clients see: of several with one name the last. */
export function memberOf(node: Node | undefined, name: string): Member | undefined {
  return membersOf(node).findLast((member) => member.name === name)
}

/** The text of a string node; undefined for any other node. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.type === 'string' ? String(node.value) : undefined
}

import { describe, expect, it } from 'vitest'
import { isUnparsable, parseDocument } from './document.ts'

const problemOf = (text: string | Uint8Array) => {
  const parsed = parseDocument(typeof text === 'string' ? Buffer.from(text) : text)
  return isUnparsable(parsed) ? parsed : undefined
}

describe('a configuration file', () => {
  it('may hold comments, trailing commas, a byte order mark, or nothing [IN-3]', () => {
    for (const text of ['{}', '\uFEFF{}', '// a\n{ /* b */ "a": [1,], }', '', ' \n', '// only a comment\n'])
      expect(problemOf(text)).toBeUndefined()
  })

  it('that is damaged is named with line and reason [IN-10]', () => {
    expect(problemOf('{\n  "a": 1\n  "b": 2\n}')).toEqual({ line: 3, reason: 'a comma is missing' })
    expect(problemOf('{\r\n  "a": nope\r\n}')).toEqual({ line: 2, reason: 'there is a word that JSON does not know' })
    expect(problemOf('{\n "a": "x\n}')?.reason).toBe('a string does not end')
    expect(problemOf('{"a":1} {}')?.reason).toBe('something follows the end of the JSON')
    expect(problemOf('{\n"mcpServers": {')).toEqual({ line: 2, reason: 'a } is missing' })
    expect(problemOf(Buffer.from('\uFEFF{"a":1}', 'utf16le'))).toEqual({ reason: 'it is not UTF-8' })
    expect(problemOf(`${'['.repeat(200_000)}`)?.reason).toBeDefined()
  })
})

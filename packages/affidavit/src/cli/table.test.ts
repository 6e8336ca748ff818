import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCsvLine } from './csv.ts'
import { fitTo, toPrintable, widthOf } from './printable.ts'
import { type Column, formatTable } from './table.ts'
import { openTerminal } from './terminal.ts'

const sink = (isTTY: boolean, columns?: number) => ({
  isTTY,
  ...(columns === undefined ? {} : { columns }),
  write: () => true,
  on: () => undefined,
})
const introducer = '\u001b'

interface Row {
  name: string
  size: number
}
const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name, widthMin: 6, style: () => 'red' },
  { title: 'SIZE', cell: ({ size }) => String(size), align: 'right' },
  { title: 'NOTE', cell: () => 'a note of some length', leaves: 1, widthMin: 10 },
]
const rows = [
  { name: 'short', size: 1 },
  { name: 'a much longer name than the others', size: 12345 },
]

describe('tables', () => {
  it('are complete where nobody watches, and cut to the width where somebody does [Q-7]', () => {
    const whole = formatTable(columns, rows, openTerminal(sink(false), {}))
    expect(whole.text).toContain('a much longer name than the others')
    expect(whole.hidden).toEqual([])
    const narrow = formatTable(columns, rows, openTerminal(sink(true, 40), { NO_COLOR: '1' }))
    for (const line of narrow.text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(40)
    expect(narrow.text).toContain('…')
    expect(formatTable(columns, rows, openTerminal(sink(true, 20), {})).hidden).toEqual(['NOTE'])
  })
  it('are coloured only on a terminal and never with NO_COLOR or TERM=dumb [Q-8]', () => {
    const text = (isTTY: boolean, env: Record<string, string>) =>
      formatTable(columns, rows, openTerminal(sink(isTTY, 80), env)).text
    expect(text(true, {})).toContain(introducer)
    expect(text(true, { NO_COLOR: '' })).toContain(introducer)
    expect(text(true, { NO_COLOR: '1' })).not.toContain(introducer)
    expect(text(true, { TERM: 'dumb' })).not.toContain(introducer)
    expect(text(false, {})).not.toContain(introducer)
  })
  it('let no text move the cursor, hide itself or turn around [Q-9]', () => {
    const hostile = 'ok\u001b[2J\r\n\u202egnp.exe\u0000\u0085\ud800'
    expect(toPrintable(hostile)).toBe('ok\\u001b[2J\\u000d\\n\\u202egnp.exe\\u0000\\u0085\\ud800')
    expect(toPrintable('naïve 日本語 😀')).toBe('naïve 日本語 😀')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
        expect(toPrintable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
    )
  })
  it('measure wide characters as two columns and never cut beyond the width [Q-7]', () => {
    expect(widthOf('日本')).toBe(4)
    expect(widthOf('e\u0301')).toBe(1)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, width) => {
        expect(widthOf(fitTo(text, width))).toBeLessThanOrEqual(width)
      }),
    )
  })
})

describe('csv', () => {
  it('quotes as RFC 4180 says and keeps spreadsheets from running what strangers wrote [Q-10]', () => {
    expect(formatCsvLine(['a', 'b,c', 'd"e', 'f\ng', undefined, 7, -7])).toBe('a,"b,c","d""e","f\ng",,7,-7\r\n')
    expect(formatCsvLine(['=1+1', '@x', '-x', '+x', '\tx'])).toBe("'=1+1,'@x,'-x,'+x,'\tx\r\n")
  })
})

import { cutText, fitTo, toPrintable, widthOf } from '@affidavit/sensor/cli/printable'
import { openTerminal } from '@affidavit/sensor/cli/terminal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogEvent } from '../query/sqlite/events.ts'
import { formatCsvLine } from './csv.ts'
import { type Column, formatRow, formatTable } from './table.ts'
import { tailColumns } from './tail-columns.ts'

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

describe('lines of tail', () => {
  const event: LogEvent = {
    leaf: 1234567, timeMs: 1_795_000_000_000, kind: 'call', event: 'requested', server: 'a-server-with-a-long-name',
    subject: 'read_the_whole_of_a_text_file', agent: 'demo-agent', bytes: 5, callId: '01968d1e-0000-7000-8000-00001629c9b1',
  } // biome-ignore format: one record
  const line = (width: number) =>
    formatRow(tailColumns(width), event, openTerminal(sink(true, width), { NO_COLOR: '1' }))
  it('fit the terminal, however narrow, and use what a wide one has [Q-7]', () => {
    for (const width of [30, 40, 60, 79, 80, 100, 117, 200]) expect(widthOf(line(width))).toBeLessThanOrEqual(width)
    for (const width of [30, 80]) expect(line(width)).toContain('1629c9b1')
    expect(line(80)).toContain('…')
    expect(line(200)).toContain('read_the_whole_of_a_text_file')
  })
  it('are complete in a pipe, and say where a tool was not listed [Q-7]', () => {
    const pipe = openTerminal(sink(false), {})
    const text = formatRow(tailColumns(undefined), event, pipe)
    expect(text).toContain('a-server-with-a-long-name  read_the_whole_of_a_text_file')
    expect(text).not.toContain('…')
    const unlisted = { ...event, subject: 'tools/call', toolDigest: 'aabbccdd:x' }
    expect(formatRow(tailColumns(undefined), unlisted, pipe)).toContain('  unlisted tool  ')
  })
})

describe('the width', () => {
  it('is that of COLUMNS where it is set, else that of the terminal [Q-7]', () => {
    expect(openTerminal(sink(true, 100), { COLUMNS: '60' }).columns).toBe(60)
    expect(openTerminal(sink(false), { COLUMNS: '60' }).columns).toBe(60)
    for (const COLUMNS of ['', '0', '-1', 'wide', undefined]) {
      expect(openTerminal(sink(true, 100), { COLUMNS }).columns).toBe(100)
      expect(openTerminal(sink(false), { COLUMNS }).columns).toBeUndefined()
    }
    expect(openTerminal(sink(true, 0), {}).columns).toBe(80)
  })
})

describe('texts that are too long', () => {
  it('are marked where they are cut, and never cut within a character [Q-7]', () => {
    expect(cutText('short', 60)).toBe('short')
    expect(cutText('x'.repeat(61), 60)).toBe(`${'x'.repeat(59)}…`)
    expect(cutText('x'.repeat(1_000_000), 60)).toBe(`${'x'.repeat(59)}…`)
    expect(cutText('\u0301'.repeat(1000), 60)).toMatch(/…$/)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 9 }), (text, width) => {
        const cut = cutText(text, width)
        expect(widthOf(cut)).toBeLessThanOrEqual(width)
        expect(Buffer.from(cut).toString()).toBe(cut)
        expect(cut.endsWith('…') || cut === toPrintable(text)).toBe(true)
      }),
    )
    expect(cutText('😀'.repeat(500), 5)).toBe('😀😀…')
  })
})

describe('csv', () => {
  it('quotes as RFC 4180 says and keeps spreadsheets from running what strangers wrote [Q-10]', () => {
    expect(formatCsvLine(['a', 'b,c', 'd"e', 'f\ng', undefined, 7, -7])).toBe('a,"b,c","d""e","f\ng",,7,-7\r\n')
    expect(formatCsvLine(['=1+1', '@x', '-x', '+x', '\tx'])).toBe("'=1+1,'@x,'-x,'+x,'\tx\r\n")
  })
})

import { describe, expect, it } from 'vitest'
import { CommandError, formatFailure } from './failure.ts'
import { type CommandSpec, formatHelp, homeOption, jsonOption, parseArguments, parseCount } from './options.ts'
import { parseMoment } from './times.ts'

const spec: CommandSpec = {
  name: 'sample',
  summary: 'A sample.',
  positionals: ['ID', '[OTHER]'],
  options: { ...homeOption, ...jsonOption, tool: { type: 'string', multiple: true, value: 'NAME', text: 'a tool' } },
  examples: [{ command: 'affidavit sample 1', text: 'One' }],
}
const usage = expect.objectContaining({ code: 'AFD_USAGE' })

describe('arguments', () => {
  it('are parsed strictly, and a mistake names the help, and what may have been meant [Q-11] [Q-25]', () => {
    const args = parseArguments(spec, ['7', '--json', '--tool', 'a', '--tool=b', '--home', '/h'])
    expect([args.positionals, args.flag('json'), args.list('tool'), args.text('home')]).toEqual([
      ['7'],
      true,
      ['a', 'b'],
      '/h',
    ])
    expect(parseArguments(spec, ['--help']).help).toBe(true)
    for (const argv of [[], ['1', '2', '3'], ['1', '--colour'], ['1', '--home'], ['1', '--json=yes']]) {
      expect(() => parseArguments(spec, argv)).toThrow(usage)
    }
    expect(() => parseArguments(spec, [])).toThrow(
      expect.objectContaining({ remedy: "Try 'affidavit sample --help'." }),
    )
    expect(() => parseArguments(spec, ['1', '--colour'])).toThrow(
      expect.objectContaining({ remedy: "Try 'affidavit sample --help'." }),
    )
    for (const argv of [['--jsn'], ['1', '--tol=x'], ['--hlep']])
      expect(() => parseArguments(spec, argv)).toThrow(
        expect.objectContaining({ remedy: expect.stringMatching(/^Did you mean '--(json|tool|help)'\? Try/) }),
      )
    expect(parseCount(spec, 'limit', '10', 1)).toBe(10)
    for (const text of ['0', '-1', '1.5', 'x', '']) expect(() => parseCount(spec, 'limit', text, 1)).toThrow(usage)
  })
  it('are explained with examples [Q-11]', () => {
    const help = formatHelp(spec)
    expect(help).toContain('Usage: affidavit sample ID [OTHER] [OPTIONS]')
    expect(help).toContain('--tool NAME …')
    expect(help).toContain('# One\n  affidavit sample 1')
  })
})

describe('moments', () => {
  const now = Date.parse('2026-11-20T11:03:40.123Z')
  const iso = (text: string) => new Date(parseMoment(spec, 'since', text, now)).toISOString()
  it('are relative, a day, or RFC 3339; without a zone UTC [Q-12]', () => {
    expect(iso('15m')).toBe('2026-11-20T10:48:40.123Z')
    expect(iso('2h ago')).toBe('2026-11-20T09:03:40.123Z')
    expect(iso('1w')).toBe('2026-11-13T11:03:40.123Z')
    expect(iso('now')).toBe('2026-11-20T11:03:40.123Z')
    expect(iso('2026-11-20')).toBe('2026-11-20T00:00:00.000Z')
    expect(iso('2026-11-20 10:00')).toBe('2026-11-20T10:00:00.000Z')
    expect(iso('2026-11-20T10:00:00.12345+02:00')).toBe('2026-11-20T08:00:00.123Z')
  })
  it('that do not exist are refused instead of moved [Q-12]', () => {
    for (const text of [
      '2026-02-30',
      '2026-13-01',
      '2026-11-20T25:00',
      'yesterday',
      '15',
      '15 m',
      '',
      '2026-11-20T10:00:00+99:00',
    ])
      expect(() => iso(text)).toThrow(usage)
  })
})

describe('failures', () => {
  it('are one line with what, remedy and code [Q-13]', () => {
    const error = new CommandError('AFD_NOT_FOUND', 'no call 42 in /h', "List calls with 'affidavit query'.")
    expect(formatFailure(error)).toBe(
      "affidavit: no call 42 in /h. List calls with 'affidavit query'. [AFD_NOT_FOUND]\n",
    )
    const coded = Object.assign(new Error('the tile is\n  missing'), { code: 'tile_missing' })
    expect(formatFailure(coded)).toBe('affidavit: the tile is missing. [AFD_TILE_MISSING]\n')
    expect(formatFailure(new TypeError('x is undefined'))).toMatch(/please report.*\[AFD_DEFECT\]\n$/)
    expect(formatFailure('thrown')).toMatch(/\[AFD_DEFECT\]\n$/)
  })
})

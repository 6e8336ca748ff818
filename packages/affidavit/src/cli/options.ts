import { parseArgs } from 'node:util'
import { suggestOption } from '@affidavit/sensor/cli/near-word'
import { usageError } from './failure.ts'

export interface OptionSpec {
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean
  /** Placeholder of the value in the help, e.g. `TIME`. */
  value?: string
  text: string
}

/** What a command accepts and how it explains itself. */
export interface CommandSpec {
  name: string
  summary: string
  /** Positional arguments in order; `[ID]` where optional, `[FILE…]` where there may be any number. */
  positionals?: readonly string[]
  options: Readonly<Record<string, OptionSpec>>
  examples: readonly { command: string; text: string }[]
  /** Paragraphs after the options, for exit codes and the like. */
  notes?: readonly string[]
}

/** Arguments that fit the specification of the command. */
export interface Arguments {
  help: boolean
  positionals: string[]
  flag(name: string): boolean
  text(name: string): string | undefined
  list(name: string): string[]
}

export const homeOption = {
  home: { type: 'string', value: 'DIR', text: 'home folder (default: $AFFIDAVIT_HOME, else the XDG data folder)' },
} as const satisfies Record<string, OptionSpec>
export const jsonOption = {
  json: { type: 'boolean', text: 'one JSON object per line' },
} as const satisfies Record<string, OptionSpec>
const helpOption: Record<string, OptionSpec> = {
  help: { type: 'boolean', short: 'h', text: 'show this help' },
}

/** Parses argv strictly. Throws CommandError `AFD_USAGE`. */
export function parseArguments(spec: CommandSpec, argv: readonly string[]): Arguments {
  const parsed = parseStrictly(spec, argv)
  const help = parsed.values.help === true
  const expected = spec.positionals ?? []
  const required = expected.filter((name) => !name.startsWith('['))
  const takesMany = expected.at(-1)?.endsWith('…]') === true
  if (!help && !takesMany && parsed.positionals.length > expected.length) {
    throw usageError(spec.name, `${spec.name} takes no argument '${parsed.positionals[expected.length] ?? ''}'`)
  }
  if (!help && parsed.positionals.length < required.length) {
    throw usageError(spec.name, `${spec.name} needs ${required.slice(parsed.positionals.length).join(' ')}`)
  }
  return {
    help,
    positionals: parsed.positionals,
    flag: (name) => parsed.values[name] === true,
    text: (name) => asText(parsed.values[name]),
    list: (name) => asList(parsed.values[name]),
  }
}

function parseStrictly(spec: CommandSpec, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...spec.options, ...helpOption }).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  )
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const unknown = /^Unknown option '(--[^']+)'/.exec(error.message)?.[1] ?? ''
    throw usageError(spec.name, firstSentence(error.message), suggestOption(unknown, Object.keys(options)))
  }
}

function firstSentence(message: string): string {
  return message.split(/\.\s|\n/)[0] ?? message
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function asList(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((item): item is string => typeof item === 'string')
  return typeof value === 'string' ? [value] : []
}

/** A whole number of at least `min`. Throws CommandError `AFD_USAGE`. */
export function parseCount(
  spec: CommandSpec,
  option: string,
  text: string | undefined,
  min: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min)) throw usageError(spec.name, `--${option} takes a whole number from ${min}, not '${text}'`)
  return value
}

/** The text that `--help` prints. */
export function formatHelp(spec: CommandSpec): string {
  const options = Object.entries({ ...spec.options, ...helpOption })
  const labels = options.map(([name, option]) => optionLabel(name, option))
  const width = Math.max(...labels.map((label) => label.length))
  return [
    spec.summary,
    '',
    `Usage: affidavit ${[spec.name, ...(spec.positionals ?? []), '[OPTIONS]'].join(' ')}`,
    '',
    'Options:',
    ...options.map(([, option], i) => `  ${(labels[i] ?? '').padEnd(width)}  ${option.text}`),
    ...(spec.notes ?? []).flatMap((note) => ['', note]),
    '',
    'Examples:',
    ...spec.examples.flatMap(({ command, text }) => [`  # ${text}`, `  ${command}`]),
    '',
  ].join('\n')
}

function optionLabel(name: string, option: OptionSpec): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `
  const value = option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''
  return `${short}--${name}${value}${option.multiple === true ? ' …' : ''}`
}

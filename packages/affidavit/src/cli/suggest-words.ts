import type { EffectClass } from '@affidavit/evidence/record/kinds'

/** Verbs that tool names begin with or hold, by what they do; the graver ones are looked for first. */
export const effectWords: readonly (readonly [EffectClass, ReadonlySet<string>])[] = [
  ['destructive', words('delete remove drop purge destroy truncate reset overwrite wipe kill terminate revoke merge force erase clear uninstall')],
  ['external-send', words('send post email mail reply forward notify publish share invite upload tweet broadcast submit call pay transfer')],
  ['write', words('create add update set put write insert edit rename move assign append save store modify patch enable disable start stop apply commit push import run execute exec')],
  ['read', words('get list read search find describe show view count check lookup query fetch inspect explain status browse export download')],
] // biome-ignore format: one row per effect

/** Of the first group that fits: what data with such a name is, and how sensitive it is at the least. */
export const kindWords: readonly { types: string; level: string; words: ReadonlySet<string> }[] = [
  { types: 'credential', level: 'restricted', words: words('secret secrets password passwords passwd credential credentials token tokens apikey env vault') },
  { types: 'health', level: 'restricted', words: words('patient patients medical health diagnosis diagnoses prescription') },
  { types: 'salary', level: 'restricted', words: words('salary salaries payroll compensation') },
  { types: 'identity', level: 'restricted', words: words('ssn passport iban') },
  { types: 'payment', level: 'restricted', words: words('card cards payment payments') },
  { types: 'customer', level: 'confidential', words: words('customer customers client clients contact contacts lead leads account accounts') },
  { types: 'employee', level: 'confidential', words: words('employee employees staff candidate candidates') },
  { types: 'finance', level: 'confidential', words: words('invoice invoices order orders revenue transaction transactions contract contracts') },
  { types: 'mail', level: 'confidential', words: words('email emails mail inbox mailbox message messages') },
  { types: 'source-code', level: 'internal', words: words('repository repositories repo commit branch pull') },
] // biome-ignore format: one row per kind of data

/** Parameters that extractors read, by what they are called. */
export const parameterWords: readonly (readonly [string, ReadonlySet<string>])[] = [
  ['path', words('path paths file files filename filepath folder dir directory source destination')],
  ['url', words('url urls uri link href endpoint')],
  ['host', words('host hostname domain')],
  ['recipient', words('to cc bcc recipient recipients email emails channel')],
] // biome-ignore format: one row per extractor

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '))
}

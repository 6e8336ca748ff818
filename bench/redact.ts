/**
 * Recall, precision and speed of redaction on the labelled sets under ../shared/data/redaction.
 *
 * Secrets: a text counts as detected if any rule of class `secret` fires in it; precision is over the texts labelled as holding none.
 * Personal types: a labelled span counts as found if a removal of its class overlaps it by at least one character, and a removal
 * counts as right if it overlaps a labelled span of its class. DOMAIN_NAME labels are URLs in this set: both classes are scored on them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createRedactor } from '@affidavit/sensor/redact/redactor'
import { ruleClasses } from '@affidavit/sensor/redact/rule'
import { spansOf } from '@affidavit/sensor/redact/spans'

interface LabelledText {
  rule: string
  secret: 0 | 1
  text: string
}
interface LabelledSentence {
  full_text: string
  spans: { entity_type: string; start_position: number; end_position: number }[]
}

const folder = resolve(import.meta.dirname, '../../shared/data/redaction')
const isVerbose = process.argv.includes('--errors')

function load<T>(name: string): T[] {
  return JSON.parse(gunzipSync(readFileSync(resolve(folder, name))).toString('utf8'))
}

const share = (part: number, whole: number) => (whole === 0 ? '    –' : (part / whole).toFixed(3))

function benchSecrets(): void {
  const texts = load<LabelledText>('secrets-labelled.json.gz')
  const labels = new Map<string, Set<number>>()
  for (const { text, secret } of texts) labels.set(text, (labels.get(text) ?? new Set()).add(secret))
  const counts = { found: 0, missed: 0, wrong: 0, right: 0 }
  const consistent = { found: 0, missed: 0, wrong: 0 }
  for (const { rule, secret, text } of texts) {
    const rules = spansOf(text).filter((span) => span.class === 'secret')
    const isDetected = rules.length > 0
    const kind = secret === 1 ? (isDetected ? 'found' : 'missed') : isDetected ? 'wrong' : 'right'
    counts[kind]++
    if (kind !== 'right' && labels.get(text)?.size === 1) consistent[kind]++
    if (isVerbose && (kind === 'missed' || kind === 'wrong'))
      console.log(
        `  ${kind.padEnd(6)} ${rule} [${rules.map((span) => span.rule)}] ${JSON.stringify(text.slice(0, 140))}`,
      )
  }
  const line = (title: string, { found, missed, wrong }: typeof consistent) =>
    console.log(
      `${title.padEnd(44)} recall ${share(found, found + missed)} (${found}/${found + missed})  precision ${share(found, found + wrong)} (${wrong} wrong)`,
    )
  line(`secrets, ${texts.length} texts`, counts)
  line('  without texts that are labelled both ways', consistent)
}

const types = [
  ['CREDIT_CARD', 'card'], ['IBAN_CODE', 'iban'], ['EMAIL_ADDRESS', 'email'], ['PHONE_NUMBER', 'phone'], ['US_SSN', 'ssn'],
  ['IP_ADDRESS', 'ip'], ['DOMAIN_NAME', 'url'], ['DOMAIN_NAME', 'domain'],
] as const // biome-ignore format: a table

function benchPersonal(title: string, classes: readonly string[]): void {
  const sentences = load<LabelledSentence>('pii-labelled.json.gz')
  console.log(`${title}, ${sentences.length} sentences`)
  for (const [label, ruleClass] of types) {
    let [labelled, found, removed, right] = [0, 0, 0, 0]
    for (const { full_text: text, spans } of sentences) {
      const wanted = spans.filter((span) => span.entity_type === label)
      const got = spansOf(text, classes.includes(ruleClass) ? [ruleClass] : []).filter(
        (span) => span.class === ruleClass,
      )
      const overlaps = (a: (typeof wanted)[0], b: (typeof got)[0]) =>
        a.start_position < b.end && b.start < a.end_position
      labelled += wanted.length
      removed += got.length
      found += wanted.filter((span) => got.some((other) => overlaps(span, other))).length
      right += got.filter((span) => wanted.some((other) => overlaps(other, span))).length
      if (!isVerbose) continue
      for (const span of wanted.filter((one) => !got.some((other) => overlaps(one, other))))
        console.log(
          `  missed ${ruleClass} ${JSON.stringify(text.slice(span.start_position - 30, span.end_position + 10))}`,
        )
      for (const span of got.filter((one) => !wanted.some((other) => overlaps(other, one))))
        console.log(`  wrong ${ruleClass} ${JSON.stringify(text.slice(span.start - 30, span.end + 10))}`)
    }
    console.log(
      `  ${ruleClass.padEnd(7)} recall ${share(found, labelled)} (${found}/${labelled})  precision ${share(right, removed)} (${removed - right} wrong)`,
    )
  }
}

function benchSpeed(): void {
  console.log('speed, in CPU time, so that other processes do not count')
  const redactor = createRedactor({ correlationKey: new Uint8Array(32) })
  const call = JSON.stringify({
    name: 'query',
    arguments: {
      sql: 'select id, name from customers where region = $1',
      params: ['EMEA'],
      limit: 100,
      verbose: false,
    },
  })
  const prose = 'The quick brown fox reads /var/log/app.log, then writes a report: 42 rows, status=ok, next: deploy. '
  const inputs: [string, string][] = [
    ['small call', call],
    [
      '2 kB of arguments',
      JSON.stringify({
        note: prose.repeat(10),
        rows: Array.from({ length: 40 }, (_, i) => ({ id: i, name: `row-${i}` })),
      }),
    ],
    ['1 MiB of prose in one string', JSON.stringify({ text: prose.repeat(10_000) })],
    [
      '1 MiB of small members',
      JSON.stringify(Array.from({ length: 30_000 }, (_, i) => ({ id: i, name: `row-${i}`, ok: true }))),
    ],
    ['1 MiB of base64', JSON.stringify({ blob: Buffer.alloc(786_432, 0x9e).toString('base64') })],
    ['1 MiB of one letter', JSON.stringify('a'.repeat(1_048_576))],
  ]
  for (const [title, input] of inputs) {
    const bytes = Buffer.from(input)
    const rounds = Math.max(3, Math.ceil(4_000_000 / bytes.length))
    for (let i = 0; i < Math.min(rounds, 200); i++) redactor.redactJson(bytes)
    const start = process.cpuUsage()
    for (let i = 0; i < rounds; i++) redactor.redactJson(bytes)
    const us = process.cpuUsage(start).user / rounds
    console.log(
      `  ${title.padEnd(30)} ${(bytes.length / us).toFixed(1).padStart(7)} MB/s  ${us.toFixed(0).padStart(8)} µs each`,
    )
  }
}

if (!existsSync(folder)) {
  console.error(`bench:redact: ${folder} is missing; it holds the labelled sets`)
  process.exit(1)
}
benchSecrets()
benchPersonal('personal, every class on', ruleClasses)
benchPersonal('personal, default classes', ['card', 'iban', 'email', 'ssn', 'phone'])

if (!process.argv.includes('--no-speed')) benchSpeed()

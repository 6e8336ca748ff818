import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalText, encodeCanonical } from '@affidavit/evidence/record/canonical'
import { parseDecision } from '@affidavit/evidence/record/decision-section'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import { recordErrorCodes } from '@affidavit/evidence/record/error'
import { joinCall } from '@affidavit/evidence/record/fields'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import { kinds, outcomes, sectionNames } from '@affidavit/evidence/record/kinds'
import { parseOutput } from '@affidavit/evidence/record/output-section'
import { parsePurpose } from '@affidavit/evidence/record/purpose-section'
import { parseResources } from '@affidavit/evidence/record/resources-section'
import { expect, test } from 'vitest'
import { exampleCall } from './example-call.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/RECORD.md'), 'utf8')
const examples = new Map(
  Array.from(page.matchAll(/<!-- example: ([a-z:]+) -->\n```json\n([\s\S]*?)\n```/g), ([, label = '', json = '']) => [
    label,
    json,
  ]),
)

const parsers: Record<string, (bytes: Uint8Array) => unknown> = {
  'header:opened': parseHeader,
  'header:requested': parseHeader,
  'header:completed': parseHeader,
  'section:identity': parseIdentity,
  'section:output': parseOutput,
  'section:resources': parseResources,
  'section:decision': parseDecision,
  'section:purpose': parsePurpose,
  'section:environment': parseEnvironment,
  envelope: parseEnvelope,
}

test('every example in the document is what the code makes of it [R-14]', () => {
  expect([...examples.keys()].sort()).toEqual(Object.keys(exampleCall).sort())
  expect(page.match(/```json/g)).toHaveLength(examples.size)
  for (const [label, json] of examples) {
    if (label === 'section:input') expect(json).toBe(exampleCall[label])
    else expect([label, JSON.parse(json)]).toEqual([label, exampleCall[label]])
  }
})

test('every example is accepted by the parser of its kind [R-14]', () => {
  for (const [label, parse] of Object.entries(parsers)) {
    const value: unknown = JSON.parse(examples.get(label) ?? '')
    expect(parse(encodeCanonical(value)), label).toEqual(value)
  }
})

test('the headers of the example stay small [R-7]', () => {
  for (const label of ['header:opened', 'header:requested', 'header:completed'])
    expect(canonicalText(exampleCall[label]).length, label).toBeLessThan(1_400)
})

test('the example call has all twelve fields [R-14]', () => {
  const requested = parseHeader(encodeCanonical(exampleCall['header:requested']))
  const completed = parseHeader(encodeCanonical(exampleCall['header:completed']))
  if (!('stage' in requested) || requested.stage !== 'requested') throw new Error('not a requested header')
  if (!('stage' in completed) || completed.stage !== 'completed') throw new Error('not a completed header')
  const names = ['identity', 'resources', 'decision', 'purpose', 'environment']
  const opened = Object.fromEntries(names.map((name) => [name, encodeCanonical(exampleCall[`section:${name}`])]))
  const input = new TextEncoder().encode(String(exampleCall['section:input']))
  const { completeness } = joinCall(requested, completed, { requested: { input, ...opened } })
  expect(completeness).toEqual({ complete: 12, reduced: 0, applicable: 12, incomplete: [] })
})

test('the document names every word of the vocabularies [R-14]', () => {
  for (const word of [...kinds, ...outcomes, ...sectionNames, ...recordErrorCodes])
    expect(page).toContain(`\`${word}\``)
})

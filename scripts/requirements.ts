import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRequirements } from '../test/requirements.ts'

/**
 * Compares the requirement manifest with the report of the last `npm test`: a requirement is proven where a test that
 * passed names its id. Exit 1 where one is unproven, or where a test names an id that does not exist.
 */
const report = join(import.meta.dirname, '..', 'node_modules', '.cache', 'affidavit', 'test-report.json')

interface Verdict {
  title: string
  status: string
}

function parseReport(text: string): Verdict[] {
  const parsed = JSON.parse(text) as { testResults: { assertionResults: Verdict[] }[] }
  return parsed.testResults.flatMap((file) => file.assertionResults)
}

const idsIn = (title: string) =>
  [...title.matchAll(/\[([A-Z]+-\d+[a-z]?(?:,\s*[A-Z]+-\d+[a-z]?)*)\]/g)].flatMap((m) => (m[1] ?? '').split(/,\s*/))

if (!existsSync(report)) {
  console.error('requirements: no report of a test run. Run npm test first.')
  process.exit(2)
}
const tests = parseReport(readFileSync(report, 'utf8'))
const requirements = await readRequirements()
const known = new Set(requirements.map(({ id }) => id))
const named = tests.flatMap((test) => idsIn(test.title))
const proven = new Set(tests.filter((test) => test.status === 'passed').flatMap((test) => idsIn(test.title)))
const unproven = requirements.filter(({ id }) => !proven.has(id))
const unknown = [...new Set(named.filter((id) => !known.has(id)))]

for (const { id, text, source } of unproven) console.log(`unproven  ${id.padEnd(10)} ${text} (${source})`)
for (const id of unknown) console.log(`unknown   ${id.padEnd(10)} named by a test, not in test/requirements`)
console.log(
  `${requirements.length - unproven.length} of ${requirements.length} requirements proven by tests that passed.`,
)

const count = (status: (s: string) => boolean) => tests.filter((test) => status(test.status)).length
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
for (const { title } of skipped) console.log(`skipped   ${title}`)
console.log(`${count((s) => s === 'passed')} passed, ${count((s) => s === 'failed')} failed, ${skipped.length} skipped`)
process.exitCode = unproven.length + unknown.length > 0 ? 1 : 0

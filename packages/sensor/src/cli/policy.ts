import { suggestNear } from './near-word.ts'
import { reportUsage } from './report-usage.ts'
import { isOptionWord } from './run-options.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: affidavit policy test FILE [--json]

Decides the requests of FILE by the policies it names, and compares with what it expects. Nothing is recorded.

Options:
  --json      one JSON object per case, and one for the whole
  -h, --help  show this help

Examples:
  affidavit policy test policies/starter.test.yaml
      exit 0 where every expectation is met, 1 where one is not, 2 where the file or a policy cannot be read

docs/POLICY.md has the form of FILE, and what policies can look at.
`
const tryHelp = "Try 'affidavit policy --help'."

/** `affidavit policy`. Returns the exit code. */
export async function policy(argv: readonly string[]): Promise<number> {
  try {
    const options = argv.filter((word) => word.startsWith('-'))
    if (options.includes('--help') || options.includes('-h')) {
      process.stdout.write(help)
      return 0
    }
    return await testFile(parseTest(argv, options), options.includes('--json') ? 'json' : 'text')
  } catch (error) {
    return reportUsage(error)
  }
}

/** The file. Words that are nobody's are not repeated: they may be anything. */
function parseTest(argv: readonly string[], options: readonly string[]): string {
  const unknown = options.find((word) => word !== '--json')
  if (unknown !== undefined) {
    const named = isOptionWord(unknown) ? `'${unknown}'` : 'one of the options'
    throw new UsageError('AFD_USAGE', `policy does not know ${named}`, tryHelp)
  }
  const [verb, file, ...more] = argv.filter((word) => !word.startsWith('-'))
  if (verb !== 'test')
    throw new UsageError(
      'AFD_USAGE',
      'policy needs the word test, and a file',
      suggestNear(verb ?? '', ['test']) + tryHelp,
    )
  if (file === undefined || more.length > 0) throw new UsageError('AFD_USAGE', 'policy test needs one file', tryHelp)
  return file
}

async function testFile(file: string, form: 'json' | 'text'): Promise<number> {
  const { formatTested, testPolicies } = await import('./policy-test.ts')
  const tested = await testPolicies(file)
  const { results, hash, untested } = tested
  const failed = results.filter(({ wrong }) => wrong.length > 0).length
  const sum = { hash, passed: results.length - failed, failed, untested }
  const text =
    form === 'text' ? formatTested(tested) : [...results, sum].map((each) => `${JSON.stringify(each)}\n`).join('')
  process.stdout.write(text)
  return failed === 0 ? 0 : 1
}

import { parseArgs } from 'node:util'
import { suggestNear } from './near-word.ts'
import { toWordsError } from './refuse-words.ts'
import { reportUsage } from './report-usage.ts'
import { UsageError } from './usage-error.ts'

const help = `Usage: affidavit policy test FILE [--json]
       affidavit policy publish --key KEY --version N --out FEED [--schema FILE] [--risk FILE] FILE…

test decides the requests of FILE by the policies it names, and compares with what it expects; nothing is recorded.
publish signs policies as a document of the control feed, and prints the public key that sensors are configured with.

Options:
  --json        test: one JSON object per case, and one for the whole
  --key KEY     publish: PEM file with an Ed25519 private key
  --version N   publish: higher than that of every document before
  --schema FILE publish: Cedar schema that the policies are checked against
  --risk FILE   publish: list of whom policies are to be careful with, in YAML
  --out FEED    publish: the file that sensors read
  -h, --help    show this help

Examples:
  affidavit policy test policies/starter.test.yaml
      exit 0 where every expectation is met, 1 where one is not, 2 where the file or a policy cannot be read
  affidavit policy publish --key policy.key --version 7 --out feed policies/*.cedar
      what sensors with feed.file take over within a second

docs/POLICY.md has the form of FILE, and what policies can look at. 'affidavit policy replay --help': how recorded calls would be
decided by other policies.
`
const tryHelp = "Try 'affidavit policy --help'."
const text = { type: 'string' } as const
const known = {
  json: { type: 'boolean' },
  key: text,
  version: text,
  schema: text,
  risk: text,
  out: text,
  help: { type: 'boolean', short: 'h' },
} as const

/** `affidavit policy`. Returns the exit code. */
export async function policy(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parse(argv)
    const [verb, ...files] = positionals
    if (values.help === true) process.stdout.write(help)
    else if (verb === 'test') return await testFile(onlyOne(files), values.json === true ? 'json' : 'text')
    else if (verb === 'publish') await publish(values, files)
    else {
      const near = suggestNear(verb ?? '', ['test', 'publish'])
      throw new UsageError('AFD_USAGE', 'policy takes the word test or publish first', near + tryHelp)
    }
    return 0
  } catch (error) {
    return reportUsage(error)
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: known, strict: true, allowPositionals: true })
  } catch (error) {
    throw toWordsError(error, { verb: 'policy', argv, known })
  }
}

function onlyOne([file, ...more]: readonly string[]): string {
  if (file === undefined || more.length > 0) throw new UsageError('AFD_USAGE', 'policy test needs one file', tryHelp)
  return file
}

async function testFile(file: string, form: 'json' | 'text'): Promise<number> {
  const { formatTested, testPolicies } = await import('./policy-test.ts')
  const tested = await testPolicies(file)
  const { results, hash, untested } = tested
  const failed = results.filter(({ wrong }) => wrong.length > 0).length
  const sum = { hash, passed: results.length - failed, failed, untested }
  const said =
    form === 'text' ? formatTested(tested) : [...results, sum].map((each) => `${JSON.stringify(each)}\n`).join('')
  process.stdout.write(said)
  return failed === 0 ? 0 : 1
}

async function publish(values: ReturnType<typeof parse>['values'], files: readonly string[]): Promise<void> {
  const { key: keyFile, out, schema, risk, version = '' } = values
  if (keyFile === undefined || out === undefined || files.length === 0)
    throw new UsageError('AFD_USAGE', 'policy publish needs --key, --version, --out and policies', tryHelp)
  if (!/^(?:0|[1-9]\d{0,14})$/.test(version))
    throw new UsageError('AFD_USAGE', '--version takes a whole number', tryHelp)
  const { publishPolicies } = await import('./policy-publish.ts')
  const key = await publishPolicies({ keyFile, version: Number(version), files, schema, risk, out })
  process.stdout.write(`${out}: version ${version}\nfeed:\n  file: ${out}\n  key: ${key}\n`)
}

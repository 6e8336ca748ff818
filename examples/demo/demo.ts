import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { driveServer } from './calls.ts'
import { formatCalls } from './table.ts'

/**
 * The first complete path, live: an official MCP server behind `affidavit run`, driven by an official client; then the
 * calls, one of them in full, the verdict, and what verification says of a copy in which one random byte was changed.
 */

const affidavit = join(import.meta.dirname, '../../packages/affidavit/bin/affidavit.js')
const work = mkdtempSync(join(tmpdir(), 'affidavit-demo-'))
const home = join(work, 'home')
const folder = join(work, 'files')

const title = (text: string) => console.log(`\n${process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text}\n`)

/** Runs a command of Affidavit in sight of the reader. */
function show(...args: string[]) {
  console.log(`$ affidavit ${args.join(' ')}`)
  spawnSync(process.execPath, [affidavit, ...args, '--home', home], { stdio: 'inherit' })
}

/** Runs a command and returns what it printed. */
function read(args: string[], of: string) {
  const { stdout, status } = spawnSync(process.execPath, [affidavit, ...args, '--home', of], { encoding: 'utf8' })
  return { stdout, status }
}

const filesOf = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0)

/** What only the running processes need says nothing about calls. */
const isEvidence = (path: string) => !/^(run|diagnostics|state)\/|-shm$/.test(relative(home, path))

/** Flips one bit of a random byte of a file in a fresh copy of the home folder and lets `verify` judge. */
function tamper(path: string) {
  const copy = join(work, 'copy')
  cpSync(home, copy, { recursive: true })
  const target = join(copy, relative(home, path))
  const bytes = readFileSync(target)
  const at = randomInt(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInt(8))
  writeFileSync(target, bytes)
  const { stdout, status } = read(['verify', '--json'], copy)
  rmSync(copy, { recursive: true })
  return { at, status, verdict: stdout }
}

interface Verdict {
  integrity: { label: string }
  problems: { code: string }[]
}
const parseVerdict = (text: string) => JSON.parse(text) as Verdict
const parseIds = (jsonLines: string) =>
  jsonLines
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)

title('1. An agent works: official client → affidavit run → official filesystem server')
await driveServer(folder, [process.execPath, affidavit, 'run', '--server', 'filesystem', '--home', home, '--'])

title('2. Its calls, all twelve fields')
console.log(
  `$ affidavit query --tool '*' --json\n\n${formatCalls(read(['query', '--tool', '*', '--json'], home).stdout)}`,
)

title('3. One call in full, with the proof that it is in the log')
const [withSecret = ''] = parseIds(read(['query', '--tool', 'write_file', '--json', '--limit', '1'], home).stdout)
show('show', withSecret)

title('4. The verdict')
show('verify')

title('5. On a copy: one random bit of one file changed, file by file')
console.log(
  '  Databases have unused bytes: there a changed bit changes nothing recorded. Locks, process files and what is remembered of tools hold no evidence.\n',
)
for (const path of filesOf(home).filter(isEvidence).sort()) {
  const { at, status, verdict } = tamper(path)
  const { integrity, problems } = parseVerdict(verdict)
  const name = relative(home, path)
  const said = problems[0]?.code ?? 'unused byte: nothing recorded is changed'
  console.log(
    `  ${name.padEnd(52)} byte ${String(at).padStart(7)}  exit ${status}  ${integrity.label.padEnd(8)} ${said}`,
  )
}

const [failed = ''] = parseIds(read(['query', '--outcome', 'tool_error', '--json', '--limit', '1'], home).stdout)
title('Next')
console.log(`  export AFFIDAVIT_HOME=${home}
  npx affidavit show ${failed.slice(-8)}     # the last call that failed
  npx affidavit tail -f           # what happens now
  npx affidavit verify            # once more
  npx affidavit proof ${failed.slice(-8)}    # for somebody else's verifier
  npx affidavit run -- npx -y @modelcontextprotocol/server-everything    # wrap a server of your own`)

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One verdict of the suite. A check may occur several times within its scenario. */
export interface Check {
  scenario: string
  id: string
  status: string
}
export interface SuiteRun {
  checks: Check[]
  /** Scenarios that were begun and gave no verdict at all. */
  crashed: string[]
}

const program = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
const limitMs = 120_000

const isVerdict = (value: unknown): value is { id: string; status: string } =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  typeof value.id === 'string' &&
  'status' in value &&
  typeof value.status === 'string'

function readChecks(folder: string, scenario: string): Check[] {
  const verdicts: unknown = JSON.parse(readFileSync(join(folder, 'checks.json'), 'utf8'))
  if (!Array.isArray(verdicts)) throw new Error(`${scenario}: checks.json holds no list`)
  return verdicts.filter(isVerdict).map(({ id, status }) => ({ scenario, id, status }))
}

function runProgram(argv: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      // 1 says that a check failed, and that is for the comparison to judge.
      if (code === 0 || code === 1) resolve(output)
      else reject(new Error(`the suite ended with ${code ?? signal}: ${output.slice(-2000)}`))
    })
  })
}

/** Runs everything that the suite holds against servers of the revision. */
export async function runSuite(url: string, revision: string): Promise<SuiteRun> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-conformance-'))
  try {
    const output = await runProgram(['server', '--url', url, '--requirements', revision, '--output-dir', folder])
    const begun = [...output.matchAll(/^=== Running scenario: (.+) ===$/gm)].map((match) => match[1] ?? '')
    const results = readdirSync(folder).map((name) => ({
      scenario: /^server-(.+)-\d{4}-\d\d-\d\dT.*$/.exec(name)?.[1] ?? name,
      folder: join(folder, name),
    }))
    const checks = results.flatMap((result) => readChecks(result.folder, result.scenario))
    const judged = new Set(checks.map(({ scenario }) => scenario))
    return { checks, crashed: begun.filter((scenario) => !judged.has(scenario)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { commandErrorCodes, formatFailure } from './failure.ts'

function failureOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return formatFailure(error)
  }
  throw new Error('nothing failed')
}

describe('what a command could not do', () => {
  it('is said with path, system code and remedy where the system refused [Q-13]', () => {
    const directory = failureOf(() => readFileSync(tmpdir()))
    expect(directory).toMatch(/^affidavit: .*it is a directory \(EISDIR\)\. Check .* \[AFD_SYSTEM_REFUSED\]\n$/)
    const missing = failureOf(() => readFileSync('/nowhere/at/all'))
    expect(missing).toMatch(/open of \/nowhere\/at\/all: it is not there \(ENOENT\)\. .*\[AFD_SYSTEM_REFUSED\]\n$/)
  })
  it('never shows a code that is not ours [Q-13]', () => {
    expect(failureOf(() => new DatabaseSync(':memory:').exec('nonsense'))).toContain('[AFD_SYSTEM_REFUSED]')
    expect(failureOf(() => new URL('no address'))).toMatch(/Please report|please report.*\[AFD_DEFECT\]/)
    const ours = Object.assign(new Error('the store is newer'), { code: 'store_version' })
    expect(formatFailure(ours)).toBe('affidavit: the store is newer. [AFD_STORE_VERSION]\n')
  })
  it('ends in a code that docs/CLI.md explains [Q-13]', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/CLI.md'), 'utf8')
    expect(commandErrorCodes.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
  })
})

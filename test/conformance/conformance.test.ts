import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { judge, type Verdict } from './compare.ts'
import { subjects, testSubjects } from './conformance.ts'
import type { Check, SuiteRun } from './suite.ts'

/** What the servers under test do not pass, with or without the gateway. */
const unpassed: Record<string, string[]> = {
  '2025-11-25': [],
  '2026-07-28': ['tasks-status-notifications SKIPPED'],
  // The 2.x SDK has sent its 200 before it finds out what the caller cannot do.
  '2026-07-28, every answer a stream': [
    'sep-2575-missing-capability-http-400 FAILURE',
    'tasks-status-notifications SKIPPED',
  ],
}
const sizes: Record<string, [scenarios: number, checks: number]> = {
  '2025-11-25': [33, 91],
  '2026-07-28': [50, 198],
  '2026-07-28, every answer a stream': [50, 198],
}

describe('the suite', () => {
  let verdicts: Map<string, Verdict>
  beforeAll(async () => {
    verdicts = await testSubjects((name, { differences, unstable, crashed }) =>
      console.warn(`asked again: ${name} ${JSON.stringify({ differences, unstable, crashed })}`),
    )
  }, 400_000)
  const names = subjects.map(({ name }) => name)
  it.each(names)('says directly what is expected of the servers for %s [CF-1]', (name) => {
    const verdict = verdicts.get(name)
    expect([verdict?.scenarios, verdict?.checks]).toEqual(sizes[name])
    expect(verdict?.unpassed.map(({ id, status }) => `${id} ${status}`)).toEqual(unpassed[name])
  })
  it.each(names)('says the same through the gateway, and twice the same directly, for %s [CF-2]', (name) => {
    expect(verdicts.get(name)).toMatchObject({ differences: [], unstable: [], crashed: [], isEqual: true })
  })
})

describe('the comparison', () => {
  const check = (id: string, status: string): Check => ({ scenario: 's', id, status })
  const run = (checks: Check[], crashed: string[] = []): SuiteRun => ({ checks, crashed })
  const direct = run([check('a', 'SUCCESS'), check('b', 'INFO'), check('b', 'INFO')])
  const equal = { direct, again: direct, gateway: direct }

  it('finds equal what is [CF-3]', () => expect(judge(equal)).toMatchObject({ checks: 3, isEqual: true }))
  it.each([
    ['another status', [check('a', 'FAILURE'), check('b', 'INFO'), check('b', 'INFO')], 'a'],
    ['a check less', [check('b', 'INFO'), check('b', 'INFO')], 'a'],
    ['an occurrence less', [check('a', 'SUCCESS'), check('b', 'INFO')], 'b'],
    ['a check more', [...direct.checks, check('c', 'SUCCESS')], 'c'],
  ])('names %s, through the gateway and directly [CF-3]', (_name, checks, id) => {
    const other = run(checks)
    expect(judge({ ...equal, gateway: other })).toMatchObject({ differences: [{ id }], unstable: [], isEqual: false })
    expect(judge({ ...equal, again: other })).toMatchObject({ differences: [], unstable: [{ id }], isEqual: false })
  })
  it('claims nothing of scenarios that crashed or of an empty run [CF-3]', () => {
    expect(judge({ ...equal, gateway: run(direct.checks, ['t']) })).toMatchObject({ crashed: ['t'], isEqual: false })
    expect(judge({ direct: run([]), again: run([]), gateway: run([]) })).toMatchObject({ isEqual: false })
  })
})

describe('npm run conformance', () => {
  const run = (argument: string) =>
    spawnSync('npm', ['run', '--silent', 'conformance', '--', argument], { encoding: 'utf8', timeout: 30_000 })
  it('starts, and says what it does and what it refuses [CF-3]', () => {
    expect(run('--help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('Usage: npm run') })
    expect(run('--fast')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Usage: npm run') })
  })
})

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { githubClaims, gitlabClaims, type KeyServer, startKeyServer } from '../identity/harness/key-server.ts'
import { hello, makeFolder, startRun } from '../identity/harness/stdio.ts'
import { readSpool } from '../middleware/harness/spooled.ts'
import { collect } from '../tamper/build-home.ts'
import { outline, trace } from './harness/told.ts'

let keys: KeyServer
beforeAll(async () => {
  keys = await startKeyServer()
})
afterAll(() => keys.close())

const audience = 'affidavit'
const seconds = () => Math.floor(Date.now() / 1000)

/** One call of a job's agent through `affidavit run`, with the job's token; `issuers` are those that are believed. */
async function callIn(name: 'github' | 'gitlab', token: string, issuers: object[]) {
  const home = join(makeFolder(), 'home')
  const kind = name === 'github' ? 'github-actions' : 'gitlab-ci'
  const trusted = issuers.map((issuer) => ({ ...issuer, kind, audiences: [audience] }))
  const config = JSON.stringify({ identity: { token: { env: 'CI_TOKEN' }, issuers: trusted } })
  const running = startRun({ home, config, env: { CI_TOKEN: token } })
  await running.ask('initialize', hello)
  const judgements = async () => (await readSpool(home)).filter(({ header }) => header.kind === 'auth').length
  await expect.poll(judgements, { timeout: 10_000 }).toBe(1)
  await running.ask('tools/call', { name: 'echo' })
  await running.end()
  collect(home)
  return home
}

describe('the token of a job begins the path [TR-1] [ID-3]', () => {
  it('with who started it and its run, neither of which an actor claim names', async () => {
    const iss = keys.issuerOf('github')
    const token = await keys.sign('github', githubClaims(iss, audience, seconds()))
    const { steps, breaks } = trace(await callIn('github', token, [{ issuer: iss }]), '12345678901')
    expect(outline(steps).map((line) => line.trim().replace(/ \S*\/node /, ' node '))).toEqual([
      'user alice ← starter (verified)',
      'run run 12345678901 of acme/crm ← job (verified)',
      'workload node ← parent-process (attested)',
      'agent agent 3.1 ← client-info (claimed)',
      // No request on stdio brings the token: that this process sent it is the kernel's word.
      expect.stringMatching(/^call echo .*on echo .* ← request \(attested\)$/),
      expect.stringContaining('break nothing says which data'),
    ])
    const text = JSON.stringify(steps)
    expect(text).toContain("the job's own token (jwt, environment variable CI_TOKEN)")
    expect(text).toContain("the job's own token, which says who started it")
    expect(text).toContain('as which any other of the same user may pose')
    expect(text).not.toContain('act claim')
    expect(breaks).toHaveLength(1)
  }, 60_000)

  it('as a claim behind the account that the kernel names, where its issuer is not believed', async () => {
    const token = await keys.sign('gitlab', gitlabClaims(keys.issuerOf('gitlab'), audience, seconds()))
    const home = await callIn('gitlab', token, [{ issuer: keys.issuerOf('github') }])
    const { steps } = trace(home, '574')
    expect(outline(steps).map((line) => line.trim())).toEqual([
      expect.stringMatching(/^user .* ← os-user \(attested\)$/),
      'run run 574 of acme/crm ← subject (claimed)',
      expect.stringMatching(/^workload .* ← parent-process \(attested\)$/),
      'agent agent 3.1 ← client-info (claimed)',
      expect.stringMatching(/^call echo .*on echo .* ← request \(attested\)$/),
      expect.stringContaining('break nothing says which data'),
    ])
  }, 60_000)
})

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Issuer, startIssuer } from '../authorization/harness/issuer.ts'
import { makeTemporaryFolder } from './harness/folder.ts'
import { openObserver, resource, toRequest } from './harness/trust.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

async function roleOf(role: object, claims: object = {}) {
  const { observer } = openObserver([{ issuer: issuer.issuer, audiences: [resource], role }], issuer)
  const { principals } = await observer.observe(toRequest({ token: await issuer.mint(resource, { ...claims }) }))
  observer.close()
  return principals.role
}

const expired = { exp: Math.floor(Date.now() / 1000) - 600 }

describe('a role [ID-2]', () => {
  const subjects = { alice: 'auditor', 'repo:acme/*': 'deployer', 'repo:acme/crm:*': 'owner', 'repo:*': 'guest' }
  it.each([
    ['alice', 'auditor'],
    ['repo:acme/crm:ref:refs/heads/main', 'owner'],
    ['repo:acme/web:ref:refs/heads/main', 'deployer'],
    ['repo:evil/crm:ref:refs/heads/main', 'guest'],
  ])('of %s is what the configuration gives to that subject: %s', async (sub, id) => {
    const grounds = { assurance: 'verified', method: 'configuration', source: 'configuration', kind: 'role' }
    expect(await roleOf({ subjects }, { sub })).toEqual({ ...grounds, id })
  })

  it('that nobody gives, or that is given to a name which nobody proved, is absent', async () => {
    expect(await roleOf({ subjects }, { sub: 'bob' })).toEqual({
      absent: 'the configuration gives no role to this subject',
    })
    expect(await roleOf({ subjects: { '*': 'admin' } }, expired)).toEqual({
      absent: 'the configuration gives roles to verified tokens alone',
    })
    expect(await roleOf({ subjects: JSON.parse('{"__proto__":"admin"}') }, { sub: 'constructor' })).toHaveProperty(
      'absent',
    )
  })

  it('comes from a directory by subject and by group, and says so', async () => {
    const directory = join(makeTemporaryFolder(), 'roles.yaml')
    writeFileSync(directory, 'subjects: { alice: auditor }\ngroups: { crm-admins: admin, crm: reader }\n')
    const groups = ['crm', 'crm-admins', 'another']
    const grounds = { assurance: 'verified', method: 'directory', kind: 'role' }
    const source = expect.stringMatching(/^directory \/.*roles\.yaml$/)
    expect(await roleOf({ directory }, { groups })).toEqual({ ...grounds, source, id: 'auditor reader admin' })
    expect(await roleOf({ directory, groupsClaim: ['realm', 'teams'] }, { sub: 'bob', realm: { teams: 'crm' } })).toEqual({
      ...grounds, source, id: 'reader',
    })
    expect(await roleOf({ directory }, { sub: 'bob' })).toEqual({ absent: 'the directory gives no role to this subject' })
    expect(await roleOf({ directory }, { groups, ...expired })).toEqual({
      absent: 'the directory gives roles to verified tokens alone',
    })
  }) // biome-ignore format: tables

  it('is given by the directory that docs/IDENTITY.md shows', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/IDENTITY.md'), 'utf8')
    const [, example = ''] = /^```yaml\n(subjects:[\s\S]*?)```/m.exec(page) ?? []
    const directory = join(makeTemporaryFolder(), 'roles.yaml')
    writeFileSync(directory, example)
    expect(await roleOf({ directory }, { groups: 'crm-admins' })).toMatchObject({ id: 'auditor admin' })
  })

  it('from a directory that cannot be read is told at the start, with the place [ID-11]', async () => {
    const directory = join(makeTemporaryFolder(), 'roles.yaml')
    await expect(roleOf({ directory })).rejects.toThrow(/roles\.yaml cannot be read \(ENOENT\)/)
    for (const [text, message] of [
      ['users: { alice: auditor }\n', /roles\.yaml, line 1: users: there is no such key/],
      ['subjects:\n  alice: [auditor]\n', /roles\.yaml, line 2: subjects\.alice: expected text/],
      ['{}\n', /the file: maps neither subjects nor groups/],
    ] as const) {
      writeFileSync(directory, text)
      await expect(roleOf({ directory })).rejects.toThrow(message)
    }
  })
})

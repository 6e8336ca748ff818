import fc from 'fast-check'
import { expect, it } from 'vitest'
import { matchNames, matchPaths } from './glob.ts'

it.each([
  ['/srv/hr/**', ['/srv/hr', '/srv/hr/a', '/srv/hr/a/b'], ['/srv/hrx', '/srv', 'x/srv/hr/a']],
  ['**/.ssh/**', ['.ssh', '.ssh/a', '/users/a/.ssh', '/users/a/.ssh/b/c'], ['/users/x.ssh/a', '/users/.sshx']],
  ['**/.env', ['.env', '/a/b/.env'], ['/a/x.env', '/a/.env/b']],
  ['**/*.pem', ['a.pem', '/x/y/a.pem', '/.pem'], ['/x/a.pem/b', '/x/pem']],
  ['**/id_rsa*', ['id_rsa', '/a/id_rsa.pub'], ['/a/xid_rsa', '/a/id_rsa/b']],
  ['/a/*/c', ['/a/b/c', '/a//c'], ['/a/b/d/c', '/a/c']],
  ['/a/?', ['/a/b'], ['/a/', '/a/bc', '/a//']],
  ['/a/**/c', ['/a/b/c', '/a/b/d/c'], ['/a/b']],
  ['s3://acme/**', ['s3://acme/a/b', 's3://acme'], ['s3://acmex/a']],
  ['**', ['', 'a', '/a/b'], []],
  ['/**', ['/', '/a/b'], ['a']],
  ['/a.b/+', ['/a.b/+'], ['/axb/+', '/a.b/++']],
])('a path glob %s matches what it says [CL-1]', (glob, matched, unmatched) => {
  const matches = matchPaths([glob])
  expect([...matched, ...unmatched].filter(matches)).toEqual(matched)
})

it('what is compared directly and what is a pattern say the same [CL-1]', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '/', '.', '\n'), { maxLength: 8 }).map((pieces) => pieces.join(''))
  const name = fc
    .array(fc.constantFrom('a', 'b', '.', 'a/b'), { minLength: 1, maxLength: 3 })
    .map((all) => all.join(''))
  const form = fc.constantFrom(
    (each: string) => `${each}/**`,
    (each: string) => `**/${each}`,
    (each: string) => `**/${each}/**`,
  )
  fc.assert(
    fc.property(text, name, form, (value, each, toGlob) => {
      // With a star before the name there is no short way, and what matches without it matches with it.
      const long = matchPaths([toGlob(`*${each}`)])
      if (matchPaths([toGlob(each)])(value)) expect(long(value)).toBe(true)
    }),
    { numRuns: 3_000 },
  )
})

it.each([
  ['get_*', ['get_', 'get_a/b'], ['xget_a']],
  ['*filesystem*', ['@modelcontextprotocol/server-filesystem', 'filesystem'], ['files']],
  ['a?c', ['abc', 'a\nc'], ['ac', 'abbc']],
  ['**', ['', 'x/y'], []],
])('a name glob %s matches what it says [CL-1]', (glob, matched, unmatched) => {
  const matches = matchNames([glob])
  expect([...matched, ...unmatched].filter(matches)).toEqual(matched)
})

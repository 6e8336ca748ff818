import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractors } from './extractors.ts'
import type { Parts } from './named.ts'

type Name = keyof typeof extractors
const read = (name: Name, parts: Parts | string) => {
  const { named, problem } = extractors[name].extract(typeof parts === 'string' ? { text: parts } : parts)
  return [...named.map((each) => `${each.type} ${each.name}`), ...(problem === undefined ? [] : [`! ${problem}`])]
}

const cases: [Name, Parts | string, string[]][] = [
  ['path', '/srv/a/../b//c/', ['path /srv/b/c']],
  ['path', './notes.md', ['path notes.md']],
  ['path', '../../x', ['path ../../x']],
  ['path', '~/.ssh/id_rsa', ['path ~/.ssh/id_rsa']],
  ['path', 'C:\\Users\\ann\\..\\bob', ['path C:/Users/bob']],
  ['path', '\\\\nas\\share\\x', ['path //nas/share/x']],
  ['path', 'file:///srv/a%20b', ['path /srv/a b']],
  ['path', 'file:///C:/x/y', ['path C:/x/y']],
  ['path', 'file://nas/share/x', ['path //nas/share/x']],
  ['path', 'file:///a%zz', ['path /a%zz']],
  ['path', { folder: '/srv', file: '../etc/x' }, ['path /etc/x']],
  ['path', '', []],
  ['url', 'https://ann:secret@API.Example.com:8443/a?b=1#frag', ['uri https://api.example.com:8443/a?b=1', 'host api.example.com']],
  ['url', 'http://[::1]/x', ['uri http://[::1]/x', 'host [::1]']],
  ['url', 'data:text/plain;base64,c2VjcmV0', ['uri data:text/plain']],
  ['url', 'mailto:ann@example.com', ['uri mailto:ann@example.com', 'host example.com']],
  ['url', 'mailto:a%E0%A4@x.test', ['uri mailto:a%E0%A4@x.test', 'host x.test']],
  ['url', 'file:///etc/passwd', ['path /etc/passwd']],
  ['url', 'not a url', ['! url_unreadable']],
  ['url', ' ', []],
  ['host', 'db.example.com:5432', ['host db.example.com']],
  ['host', '10.0.0.7', ['host 10.0.0.7']],
  ['host', 'https://Example.COM./x', ['host example.com']],
  ['host', 'a b', ['! host_unreadable']],
  ['recipient', 'ann@Example.com', ['uri mailto:ann@example.com', 'host example.com']],
  ['recipient', '"Doe, J." <jd@a.test>, x@b.test; y@a.test', ['uri mailto:jd@a.test', 'host a.test', 'uri mailto:x@b.test', 'host b.test', 'uri mailto:y@a.test']],
  ['recipient', '#general', ['other recipient:#general']],
  ['recipient', '@ann', ['other recipient:@ann']],
  ['recipient', '', []],
  ['bucket', 's3://acme/a/b.txt', ['uri s3://acme/a/b.txt']],
  ['bucket', 'gs://acme', ['uri gs://acme']],
  ['bucket', 'arn:aws:s3:::acme/a', ['uri s3://acme/a']],
  ['bucket', 'https://acme.s3.eu-central-1.amazonaws.com/a?X-Amz-Signature=abc', ['uri s3://acme/a']],
  ['bucket', 'https://s3.amazonaws.com/acme/a', ['uri s3://acme/a']],
  ['bucket', 'https://storage.googleapis.com/acme/a', ['uri gs://acme/a']],
  ['bucket', 'https://acme.blob.core.windows.net/box/a?sig=x', ['uri az://acme/box/a']],
  ['bucket', 'abfss://box@acme.dfs.core.windows.net/a', ['uri az://acme/box/a']],
  ['bucket', { bucket: 'acme', key: '/a', scheme: 'gcs' }, ['uri gs://acme/a']],
  ['bucket', { key: 'a' }, []],
  ['bucket', 'https://example.com/a', ['! bucket_unreadable']],
  ['kubernetes', { kind: 'Deployment', name: 'web', namespace: 'shop' }, ['other kubernetes:shop/deployment/web']],
  ['kubernetes', { kind: 'deployments.apps', cluster: 'prod' }, ['other kubernetes:prod:-/deployment/*']],
  ['kubernetes', { kind: 'po/web-1', namespace: 'shop' }, ['other kubernetes:shop/pod/web-1']],
  ['kubernetes', 'svc/web', ['other kubernetes:-/service/web']],
  ['kubernetes', { kind: 'ingresses' }, ['other kubernetes:-/ingress/*']],
  ['kubernetes', { namespace: 'shop' }, []],
  ['kubernetes', { manifest: 'kind: List\nitems:\n  - { kind: Secret, metadata: { name: db } }\n  - { kind: Pod, metadata: { generateName: job-, namespace: x } }\n', namespace: 'shop' }, ['other kubernetes:shop/secret/db', 'other kubernetes:x/pod/job-']],
  ['kubernetes', { manifest: '{"kind":"ConfigMap","metadata":{"name":"c"}}' }, ['other kubernetes:-/configmap/c']],
  ['kubernetes', { manifest: 'kind: [' }, ['! manifest_unreadable']],
  ['kubernetes', { manifest: `kind: A\nx: ${'y'.repeat(300_000)}` }, ['! manifest_unread']],
  ['repository', 'https://github.com/Acme/Shop.git', ['other repository:github.com/acme/shop']],
  ['repository', 'https://github.com/acme/shop/tree/main/src', ['other repository:github.com/acme/shop']],
  ['repository', 'git@gitlab.example.com:team/apps/shop.git', ['other repository:gitlab.example.com/team/apps/shop']],
  ['repository', 'https://gitlab.com/team/apps/shop/-/issues/7', ['other repository:gitlab.com/team/apps/shop']],
  ['repository', { owner: 'acme', repo: 'shop', host: 'github.com' }, ['other repository:github.com/acme/shop']],
  ['repository', 'acme/shop', ['other repository:acme/shop']],
  ['repository', '/src/../srv/shop', ['path /srv/shop']],
  ['repository', { host: 'github.com' }, []],
  ['repository', 'https://', ['! repository_unreadable']],
] // biome-ignore format: one row, one line

describe('extractors', () => {
  it.each(cases)('%s reads %j [CL-5]', (name, parts, expected) => expect(read(name, parts)).toEqual(expected))

  it('a manifest whose aliases unfold without end is not read [CL-5]', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x]',
      ...Array.from(
        { length: 12 },
        (_, i) =>
          `${'bcdefghijklm'[i]}: &${'bcdefghijklm'[i]} [*${'abcdefghijkl'[i]}, *${'abcdefghijkl'[i]}, *${'abcdefghijkl'[i]}, *${'abcdefghijkl'[i]}, *${'abcdefghijkl'[i]}, *${'abcdefghijkl'[i]}]`,
      ),
    ]
    expect(read('kubernetes', { manifest: ['kind: Pod', ...bomb].join('\n') })).toEqual(['! manifest_unreadable'])
  })

  it.each(Object.keys(extractors) as Name[])('%s never throws, and names nothing empty [CL-5]', (name) => {
    const piece = fc.constantFrom(
      '/',
      '..',
      ':',
      '@',
      's3://',
      'https://',
      '%',
      '\\',
      'kind: ',
      '\n',
      '[',
      '&a',
      '*a',
      '.git',
      'a',
      ' ',
    )
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    )
    const parts = fc.oneof(
      hostile.map((text) => ({ text })),
      fc.record(Object.fromEntries(extractors[name].parts.map((part) => [part, hostile]))),
    )
    fc.assert(
      fc.property(parts, (each) => {
        for (const { name: found } of extractors[name].extract(each).named) expect(found).not.toBe('')
      }),
      { numRuns: 1_000 },
    )
  })
})

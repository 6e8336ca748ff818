import { expect, it } from 'vitest'
import { createMasker } from './mask-words.ts'

const masker = createMasker()

it.each([
  [
    ['npx', '--api-key', 'short'],
    ['npx', '--api-key', '***'],
  ],
  [
    ['x', '--token=abc', '-p', 'y'],
    ['x', '--token=***', '-p', 'y'],
  ],
  [
    ['docker', 'run', '-e', 'GITHUB_TOKEN=abc', 'image'],
    ['docker', 'run', '-e', 'GITHUB_TOKEN=***', 'image'],
  ],
  [
    ['mcp-remote', 'https://x.example/mcp', '--header', 'Authorization: Bearer abc'],
    ['mcp-remote', 'https://x.example/mcp', '--header', 'Authorization: ***'],
  ],
  [
    ['psql-mcp', 'postgresql://app:pw@db/prod'],
    ['psql-mcp', 'postgresql://app:***@db/prod'],
  ],
  [
    ['x', 'https://x.example/mcp?profile=a&api_key=b#c'],
    ['x', 'https://x.example/mcp?profile=***&api_key=***'],
  ],
  [
    ['x', 'https://tok3n@x.example/mcp'],
    ['x', 'https://***@x.example/mcp'],
  ],
  [
    ['x', '--max-tokens', '100', 'a=b', 'C:\\a', 'https://x.example/'],
    ['x', '--max-tokens', '100', 'a=b', 'C:\\a', 'https://x.example/'],
  ],
])('of %j only %j is shown [IN-8]', (words, shown) => expect(masker.words(words)).toEqual(shown))

it('what looks like a secret goes wherever it stands [IN-8]', () => {
  const token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'
  expect(masker.words(['x', token])[1]).not.toContain('ghp_')
  expect(masker.text(`// ${token}`)).not.toContain('ghp_')
  expect(masker.url(`https://x.example/${token}/mcp`)).not.toContain('ghp_')
})

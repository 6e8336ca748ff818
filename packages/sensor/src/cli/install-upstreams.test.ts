import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openUpstreams } from './install-upstreams.ts'

async function open(text?: string) {
  const home = mkdtempSync(join(tmpdir(), 'affidavit-upstreams-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  if (text !== undefined) writeFileSync(join(home, 'affidavit.yaml'), text)
  return openUpstreams(home)
}
const url = (text: string) => new URL(text)

it('a new file listens on loopback and names each upstream once [IN-7]', async () => {
  const upstreams = await open()
  expect(upstreams.origin).toBe('http://127.0.0.1:7332')
  expect(upstreams.claim('my api', 'cursor', url('https://x.example/mcp?key=s3cret'))).toBe('my-api')
  expect(upstreams.claim('my api', 'vscode', url('https://x.example/mcp'))).toBe('my-api')
  expect(upstreams.claim('my api', 'vscode', url('https://y.example/mcp'))).toBe('my-api-vscode')
  expect(upstreams.claim('my api', 'vscode', url('https://z.example/mcp'))).toBe('my-api-vscode-2')
  const text = Buffer.from(upstreams.render()).toString()
  expect(text).toContain(
    '\nlisten: 127.0.0.1:7332\nupstreams:\n  my-api:\n    url: https://x.example/mcp\n    host: upstream\n',
  )
  expect(text).not.toContain('s3cret')
})

it('comments and settings of an existing file stay, and its address is used [IN-7]', async () => {
  const text = `# ours
listen: 0.0.0.0:8080 # everywhere
plaintext: true
upstreams:
  # the first
  crm:
    url: "https://crm.example/mcp" # keep
    host: keep
limits:
  sessionIdleMs: 5
`
  const upstreams = await open(text)
  expect(upstreams.origin).toBe('http://127.0.0.1:8080')
  expect(upstreams.claim('crm', 'cursor', url('https://crm.example/mcp'))).toBe('crm')
  expect(upstreams.added).toEqual([])
  expect(upstreams.claim('new', 'cursor', url('http://localhost:3001/mcp'))).toBe('new')
  const added = '  new:\n    url: http://localhost:3001/mcp\n    host: upstream\n'
  expect(Buffer.from(upstreams.render()).toString()).toBe(text.replace('limits:', `${added}limits:`))
  upstreams.remove('new')
  expect(Buffer.from(upstreams.render()).toString()).toBe(text)
})

it('a file that it cannot add to is left alone, with the reason [IN-7]', async () => {
  for (const text of [
    'upstreams: [1]\n',
    '- a\n',
    'a: b: c\n',
    'listen: 9000\n',
    'unknown: 1\n',
    'tls: { cert: a, key: b }\n',
  ]) {
    const upstreams = await open(text)
    expect(upstreams.problem).toBeDefined()
    expect(upstreams.claim('x', 'cursor', url('http://localhost:1/mcp'))).toBeUndefined()
  }
  expect((await open('listen: "[::1]:9"\n')).origin).toBe('http://[::1]:9')
})

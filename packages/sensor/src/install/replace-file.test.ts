import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FileChangedError, replaceFile } from './replace-file.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-replace-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

it('puts new content into the file that a link leads to, and keeps link and mode [IN-3]', async () => {
  const dir = folder()
  mkdirSync(join(dir, 'dotfiles'))
  const [target, link] = [join(dir, 'dotfiles/mcp.json'), join(dir, 'mcp.json')]
  writeFileSync(target, 'old')
  chmodSync(target, 0o640)
  symlinkSync('dotfiles/mcp.json', link)
  await replaceFile(link, Buffer.from('old'), Buffer.from('new'))
  expect(readFileSync(target, 'utf8')).toBe('new')
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(readlinkSync(link)).toBe('dotfiles/mcp.json')
  expect(statSync(target).mode & 0o7777).toBe(0o640)
  expect(readdirSync(join(dir, 'dotfiles'))).toEqual(['mcp.json'])
})

it('replaces at once: who has the old file open goes on reading the old one [IN-3]', async () => {
  const path = join(folder(), 'mcp.json')
  writeFileSync(path, 'old')
  linkSync(path, `${path}.kept`)
  await replaceFile(path, Buffer.from('old'), Buffer.from('new'))
  expect(readFileSync(`${path}.kept`, 'utf8')).toBe('old')
})

it('leaves a file alone that somebody else changed meanwhile, and nothing beside it [IN-10]', async () => {
  const dir = folder()
  const path = join(dir, 'mcp.json')
  writeFileSync(path, 'theirs')
  await expect(replaceFile(path, Buffer.from('old'), Buffer.from('new'))).rejects.toThrow(FileChangedError)
  expect(readFileSync(path, 'utf8')).toBe('theirs')
  expect(readdirSync(dir)).toEqual(['mcp.json'])
})

it('says what the system refuses [IN-10]', async () => {
  await expect(replaceFile(join(folder(), 'none.json'), Buffer.from(''), Buffer.from('x'))).rejects.toMatchObject({
    code: 'ENOENT',
  })
})

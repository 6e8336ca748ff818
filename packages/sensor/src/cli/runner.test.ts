import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findRunner, wordsFor } from './runner.ts'
import { UsageError } from './usage-error.ts'

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'affidavit-runner-')))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function file(path: string): string {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, '')
  return path
}

it('names Node by a link that outlives an update, where there is one [IN-11]', () => {
  const dir = folder()
  const node = file(join(dir, 'Cellar/node/24.1.0/bin/node'))
  mkdirSync(join(dir, 'bin'))
  symlinkSync('../Cellar/node/24.1.0/bin/node', join(dir, 'bin/node'))
  const script = file(join(dir, 'lib/affidavit.js'))
  const find = (path: string) => findRunner({ given: undefined, node, script, path })
  expect(find(`/nowhere:${join(dir, 'bin')}`)).toEqual([join(dir, 'bin/node'), script])
  expect(find('/nowhere')).toEqual([node, script])
})

it('refuses a script in a cache that may be emptied [IN-11]', () => {
  const script = file(join(folder(), '.npm/_npx/0a1b/node_modules/affidavit/bin/affidavit.js'))
  const find = () => findRunner({ given: undefined, node: '/usr/bin/node', script, path: '' })
  expect(find).toThrow(UsageError)
  expect(find).toThrow(/cache that may be emptied/)
})

it('takes the words of --command, with quotes, where they name affidavit [IN-11]', () => {
  const find = (given: string) => findRunner({ given, node: '/usr/bin/node', script: undefined, path: '' })
  expect(find('npx -y affidavit')).toEqual(['npx', '-y', 'affidavit'])
  expect(find(`"C:\\Program Files\\node.exe" 'C:\\a b\\affidavit.js'`)).toEqual([
    'C:\\Program Files\\node.exe',
    'C:\\a b\\affidavit.js',
  ])
  for (const given of ['', '  ', '/nowhere/affidavit', 'npx -y something'])
    expect(() => find(given)).toThrow(UsageError)
})

it('writes what run understands, also for names that look like something else, and a collector for the sensor alone [IN-11]', () => {
  const options = { home: undefined, shim: [] }
  expect(wordsFor(['node', 'affidavit.js'], options, 'files').before).toEqual([
    'affidavit.js',
    'run',
    '--server',
    'files',
    '--',
  ])
  expect(wordsFor(['affidavit'], options, '--').before).toEqual(['run', '--server=--', '--'])
  expect(wordsFor(['affidavit'], options, '').before).toEqual(['run', '--server', 'server', '--'])
  expect(wordsFor(['affidavit'], { home: '/h', shim: [] }, 'x').before).toEqual([
    'run',
    '--home',
    '/h',
    '--server',
    'x',
    '--',
  ])
  for (const sensor of ['/x/affidavit-sensor.js', 'affidavit-sensor', '@affidavit/sensor'])
    expect(wordsFor(['npx', sensor], options, 'x').before).toContain('--collector')
})

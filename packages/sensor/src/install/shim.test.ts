import { expect, it } from 'vitest'
import { shimFor } from './shim.ts'

const windows = (...files: string[]) => ({
  platform: 'win32' as const,
  env: { Path: 'C:\\Windows;C:\\node' },
  exists: (path: string) => files.includes(path),
})

it('on Windows a script gets cmd /c in front, a program does not [IN-2]', () => {
  expect(shimFor('npx', windows('C:\\node\\npx.cmd'))).toEqual(['cmd', '/c'])
  expect(shimFor('uvx', windows('C:\\node\\uvx.exe'))).toEqual([])
  expect(shimFor('mcp-server-time', windows('C:\\node\\mcp-server-time.cmd'))).toEqual(['cmd', '/c'])
  expect(shimFor('C:\\tools\\serve.BAT', windows('C:\\tools\\serve.BAT'))).toEqual(['cmd', '/c'])
  expect(shimFor('cmd', windows('C:\\Windows\\cmd.exe'))).toEqual([])
  // Not on the installer's PATH: known to be scripts, or taken for a program.
  expect(shimFor('npx', windows())).toEqual(['cmd', '/c'])
  expect(shimFor('python', windows())).toEqual([])
})

it('elsewhere nothing is in between [IN-2]', () => {
  expect(shimFor('npx', { platform: 'linux', env: {}, exists: () => true })).toEqual([])
})

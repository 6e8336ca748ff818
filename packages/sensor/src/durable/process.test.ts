import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { platform } from 'node:os'
import { expect, it } from 'vitest'
import { isProcessDead, readBootId, readOwnProcess } from './process.ts'

it('this process lives; another boot, another start time and a free pid are dead [W-19]', async () => {
  const own = readOwnProcess()
  expect(isProcessDead(own)).toBe(false)
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  expect(isProcessDead({ ...own, pid: child.pid ?? 0 })).toBe(true)
  if (platform() !== 'linux') return console.warn('SKIPPED beyond pids: start times and boot ids are read from /proc')
  expect(isProcessDead({ ...own, bootId: '00000000-0000-4000-8000-000000000000' })).toBe(true)
  expect(isProcessDead({ ...own, startTime: '1' })).toBe(true)
})

it('where it cannot be certain, a process counts as alive [W-19]', () => {
  const own = readOwnProcess()
  expect(isProcessDead({ ...own, startTime: '' })).toBe(false)
  expect(isProcessDead({ ...own, pidNamespace: 'pid:[1]', pid: 2 ** 22 })).toBe(false)
})

it('the boot id is a UUID and stays the same', () => {
  expect(readBootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  expect(readBootId()).toBe(readBootId())
})

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runSession, stopCollector } from './build-home.ts'
import { verifyCopy } from './insider.ts'

it('verification beside a sensor and a collector at work raises no false alarm [T-13]', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'affidavit-live-'))
  const home = join(directory, 'home')
  let running = true
  const session = runSession(home, join(directory, 'files'), 80).finally(() => {
    running = false
  })
  const sizes = new Set<number>()
  // From the first moment on and without a pause: what races at all, races here.
  while (running) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (!existsSync(join(home, 'home.json'))) continue
    const judged = await verifyCopy(home)
    const { level } = judged.verdict.integrity
    const isYetToCome = judged.verdict.checkpoint === null
    expect({
      level: isYetToCome ? 'none yet' : level,
      problems: judged.verdict.problems.map(({ message }) => message),
    }).toEqual(
      isYetToCome
        ? { level: 'none yet', problems: ['the log has no checkpoint yet'] }
        : { level: 'SIGNED', problems: [] },
    )
    if (!isYetToCome) sizes.add(judged.checked.entries)
  }
  await session
  stopCollector(home)
  expect(sizes.size).toBeGreaterThan(2)
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}, 120_000)

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runSession, stopCollector } from './build-home.ts'
import { codesOf, verifyCopy } from './insider.ts'

it('verification beside a sensor and a collector at work raises no false alarm [T-13]', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'affidavit-live-'))
  const home = join(directory, 'home')
  let running = true
  const session = runSession(home, join(directory, 'files'), 150).finally(() => {
    running = false
  })
  const sizes = new Set<number>()
  while (running) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (!existsSync(join(home, 'log/checkpoint'))) continue
    const judged = await verifyCopy(home)
    expect({ level: judged.verdict.integrity.level, codes: codesOf(judged) }).toEqual({ level: 'SIGNED', codes: [] })
    sizes.add(judged.checked.entries)
  }
  await session
  stopCollector(home)
  expect(sizes.size).toBeGreaterThan(2)
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}, 120_000)

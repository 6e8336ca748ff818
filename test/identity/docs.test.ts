import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadRunConfig } from '../../packages/sensor/src/cli/run-config.ts'
import { makeFolder } from './harness/stdio.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/IDENTITY.md'), 'utf8')
const sections = page.split(/^## /m)
/** Of the sections about `run`; those about the gateway have tests of their own. */
const examples = ['stdio', 'Environment', 'Posture'].flatMap((title) =>
  [...(sections.find((section) => section.startsWith(`${title}\n`)) ?? '').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    ([, yaml = '']) => yaml,
  ),
)

it('every example of docs/IDENTITY.md is a configuration that run takes [AT-6] [AT-10] [AT-11]', () => {
  expect(examples).toHaveLength(4)
  for (const text of examples) {
    const path = join(makeFolder(), 'affidavit.yaml')
    writeFileSync(path, text)
    expect(Object.keys(loadRunConfig(path))).toHaveLength(1)
  }
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { refusalReasons } from '../../packages/sensor/src/identity/refusal-code.ts'

it('docs/IDENTITY.md explains every code with its status, and says what to do [ID-7] [AU-6]', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/IDENTITY.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \| (.+) \| (.+) \|$/gm)]
  expect(rows.map(([, code, status]) => [code, Number(status)]).sort()).toEqual(
    Object.entries(refusalReasons)
      .map(([code, { status }]) => [code, status])
      .sort(),
  )
})

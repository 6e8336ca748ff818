import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { spiffeRefusals } from '../../packages/sensor/src/identity/spiffe/spiffe-refusal.ts'
import { runCli } from '../gateway/harness/cli.ts'
import { bundleOf, certify, makeAuthority, pemOf } from './harness/authority.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/IDENTITY.md'), 'utf8')
const [, section = ''] = /\n## SPIFFE\n([\s\S]*?)(?=\n## |$)/.exec(page) ?? []
const [gateway = '', run = ''] = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '')

async function makeFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-spiffe-docs-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { cert, key } = await pemOf([await certify({ subject: 'CN=gateway' })])
  writeFileSync(join(folder, 'tls.pem'), cert)
  writeFileSync(join(folder, 'tls.key'), key)
  writeFileSync(join(folder, 'example.org.json'), JSON.stringify(await bundleOf(await makeAuthority('example.org'))))
  return folder
}

it('the examples of docs/IDENTITY.md are good [SV-11]', async () => {
  const folder = await makeFolder()
  writeFileSync(join(folder, 'affidavit.yaml'), gateway)
  expect(await runCli(['gateway', '--check', '--config', join(folder, 'affidavit.yaml')])).toMatchObject({
    code: 0,
    err: '',
  })
  writeFileSync(join(folder, 'run.yaml'), run)
  const argv = ['run', '--home', join(folder, 'home'), '--config', join(folder, 'run.yaml'), '--collector', 'none']
  const { code, err } = await runCli([...argv, '--', process.execPath, '-e', 'process.exit(3)'])
  expect({ code, err: err.replaceAll(/^.*AFD_WORKLOAD_API.*\n/gm, '') }).toEqual({ code: 3, err: '' })
})

it('every code of a refusal is in docs/IDENTITY.md [SV-4] [SV-7]', () => {
  for (const code of Object.keys(spiffeRefusals)) expect(section).toContain(`\`${code}\``)
})

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openHome, resolveHome } from './home.ts'

const folder = () => join(mkdtempSync(join(tmpdir(), 'affidavit-home-')), 'home')

describe('resolveHome', () => {
  it('prefers the flag, then AFFIDAVIT_HOME, then XDG_DATA_HOME, then ~/.local/share', () => {
    const env = { AFFIDAVIT_HOME: '/srv/audit', XDG_DATA_HOME: '/srv/share' }
    expect(resolveHome({ flag: '/srv/flag', env })).toBe('/srv/flag')
    expect(resolveHome({ env })).toBe('/srv/audit')
    expect(resolveHome({ env: { ...env, AFFIDAVIT_HOME: '' } })).toBe('/srv/share/affidavit')
    expect(resolveHome({ env: { XDG_DATA_HOME: 'relative' } })).toMatch(/\.local.share.affidavit$/)
  })
})

describe('openHome', () => {
  it('creates folders of mode 0700 and keys of mode 0600, and finds them again [W-17]', async () => {
    const dir = folder()
    const home = await openHome(dir)
    const first = [await home.sensorKey(), await home.collectorKey(), await home.correlationKey()] as const
    const names = readdirSync(dir, { recursive: true, withFileTypes: true })
    for (const entry of names)
      expect(statSync(join(entry.parentPath, entry.name)).mode & 0o777).toBe(entry.isFile() ? 0o600 : 0o700)
    expect(
      names
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
    ).toEqual(['collector.key', 'correlation.key', 'home.json', 'sensor.key'])
    const again = await openHome(dir)
    expect(again.identity).toEqual(home.identity)
    expect((await again.sensorKey()).sensorId).toBe(first[0].sensorId)
    expect(await again.collectorPublicKey()).toEqual({ publicKey: first[1].publicKey, keyId: first[1].keyId })
    expect(await again.correlationKey()).toEqual(first[2])
    expect(home.identity.origin).toBe(`affidavit.local/${home.identity.homeId}/default/${home.identity.epoch}`)
  })
  it('processes that race for a new home agree on identity and keys [W-17]', async () => {
    const dir = folder()
    const script = `import { openHome } from '@affidavit/sensor/durable/home'
      const home = await openHome(process.argv[1])
      const ids = [home.identity.homeId, (await home.sensorKey()).sensorId, (await home.collectorPublicKey()).keyId]
      console.log([...ids, (await home.correlationKey()).keyId].join())`
    const argv = ['--conditions=@affidavit/source', '--input-type=module', '-e', script, dir]
    const runs = Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, argv, { cwd: import.meta.dirname }),
    )
    expect(new Set((await Promise.all(runs)).map(({ stdout }) => stdout)).size).toBe(1)
  })
  it('refuses what is damaged, says where, and never makes a new key in its place', async () => {
    const dir = folder()
    const home = await openHome(dir)
    await Promise.all([home.sensorKey(), home.correlationKey()])
    truncateSync(home.paths.sensorKey, 20)
    writeFileSync(home.paths.correlationKey, 'short\n')
    const damaged = await openHome(dir)
    await expect(damaged.sensorKey()).rejects.toMatchObject({ code: 'key_malformed', path: home.paths.sensorKey })
    await expect(damaged.correlationKey()).rejects.toMatchObject({ code: 'key_malformed' })
    writeFileSync(
      home.paths.identity,
      readFileSync(home.paths.identity, 'utf8').replace('affidavit.local', 'other.local'),
    )
    await expect(openHome(dir)).rejects.toMatchObject({ code: 'home_malformed' })
  })
  it('says what to do where the folder cannot be made', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'affidavit-home-')), 'file')
    writeFileSync(file, '')
    await expect(openHome(join(file, 'home'))).rejects.toMatchObject({ code: 'home_unusable' })
  })
})

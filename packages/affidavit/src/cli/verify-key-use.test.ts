import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHomePaths } from '@affidavit/sensor/durable/home-paths'
import { describe, expect, it } from 'vitest'
import { describeLooseKeys, isOutOfReach, judgeSigningKey } from './verify-key-use.ts'

const key = { uid: 1001, mode: 0o100600 }
const folder = { uid: 1001, mode: 0o40711 }

describe('the signing key', () => {
  it.each([
    ['another user, nobody else, closed folders', key, [folder, folder], 1000, true],
    ['the same user', key, [folder], 1001, false],
    ['a sensor that runs as root', key, [folder], 0, false],
    ['a group that may read it', { ...key, mode: 0o100640 }, [folder], 1000, false],
    ['others that may read it', { ...key, mode: 0o100604 }, [folder], 1000, false],
    ['a folder of the sensor', key, [{ ...folder, uid: 1000 }], 1000, false],
    ['a folder above that anybody may write', key, [folder, { ...folder, mode: 0o40777 }], 1000, false],
  ])('%s [V-18]', (_what, log, directories, uid, expected) => {
    expect(isOutOfReach(log, directories, uid)).toBe(expected)
  })
})

describe('keys in a home', () => {
  it('that others may read are named with a remedy; who could sign is unknown without keys [V-18]', (ctx) => {
    if (process.platform === 'win32') return ctx.skip()
    const dir = mkdtempSync(join(tmpdir(), 'affidavit-keys-'))
    const paths = toHomePaths(dir)
    mkdirSync(paths.keys)
    expect([judgeSigningKey(paths), describeLooseKeys(paths)]).toEqual(['unknown', []])
    for (const path of [paths.logKey, paths.sensorKey, paths.logVerifierKey]) writeFileSync(path, '', { mode: 0o600 })
    expect([judgeSigningKey(paths), describeLooseKeys(paths)]).toEqual(['readable', []])
    chmodSync(paths.logKey, 0o644)
    chmodSync(paths.logVerifierKey, 0o644)
    expect(describeLooseKeys(paths)).toEqual([
      `keys/log.key has mode 0644, others may use it: chmod 600 ${paths.logKey}`,
    ])
    rmSync(dir, { recursive: true })
  })
})

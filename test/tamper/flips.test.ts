import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { readSegments } from '@affidavit/sensor/spool/read'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildHomes, type Homes } from './build-home.ts'
import { codesOf, copyHome, describeDatabase, flip, listFiles, positionsOf, verifyCopy } from './insider.ts'

let homes: Homes
let work: string
beforeAll(async () => {
  homes = await buildHomes()
  work = copyHome(homes.full, join(homes.directory, 'work'))
}, 180_000)
afterAll(() => homes.remove())

const perFile = 14

/** What a flipped bit means, by file: one of these codes must be found, and no other unless `andOthers` says so. */
interface Expectation {
  files: RegExp
  codes: readonly string[]
  andOthers?: true
}
const table: readonly Expectation[] = [
  { files: /^home\.json$/, codes: ['file_altered', 'epoch_foreign', 'checkpoint_invalid', 'index_disagrees', 'origin_mismatch'] },
  { files: /^keys\/log\.pub$/, codes: ['key_disagrees', 'checkpoint_invalid'] },
  { files: /^keys\/bodies\.key$/, codes: ['key_disagrees', 'body_altered', 'body_missing', 'index_disagrees', 'store_disagrees'] },
  { files: /^keys\//, codes: ['key_disagrees'] },
  { files: /^signer\/state\.json$/, codes: ['file_altered', 'rolled_back', 'checkpoint_invalid', 'forked'] },
  { files: /^log\/checkpoint$/, codes: ['checkpoint_invalid', 'rolled_back', 'epoch_foreign', 'file_altered'] },
  // An altered entry breaks links of every kind behind it: those may be reported too, the cause must be.
  { files: /^log\/tile\/entries\//, codes: ['entry_altered', 'bundle_malformed', 'tile_altered'], andOthers: true },
  { files: /^log\/tile\/\d/, codes: ['tile_altered'] },
  { files: /^spool\/streams\//, codes: ['spool_altered', 'stream_head_wrong', 'stream_missing'] },
  { files: /^spool\/.*\.seg$/, codes: ['spool_altered', 'stream_missing', 'stream_head_wrong'] },
] // biome-ignore format: one table

describe('one flipped bit', () => {
  it('makes the verdict INVALID, whatever file of evidence it is in, and names the file or entry [T-1]', async () => {
    const files = listFiles(work).filter((path) => table.some(({ files }) => files.test(path)))
    expect(files.length).toBeGreaterThan(15)
    for (const path of files) await flipIn(path, await toOutcome(path))
  }, 240_000)

  it('in a database is INVALID where it changes anything the database says, and SIGNED where it hits slack [T-2]', async () => {
    const seen = { changed: 0, slack: 0 }
    for (const path of ['store/collector.db', 'index/index.db']) {
      const whole = describeDatabase(join(work, path))
      const codes = path.startsWith('store')
        ? ['store_disagrees', 'body_altered', 'body_missing', 'index_disagrees']
        : ['index_disagrees']
      await flipIn(path, () => {
        const isSlack = describeDatabase(join(work, path)) === whole
        seen[isSlack ? 'slack' : 'changed'] += 1
        return isSlack ? undefined : { codes }
      }, 60) // biome-ignore format: one call
    }
    console.info(`flips in databases: ${seen.changed} changed what they say, ${seen.slack} hit slack`)
    expect(seen.changed).toBeGreaterThan(10)
  }, 240_000)

  it('in a file that is no evidence changes nothing [T-3]', async () => {
    const files = listFiles(work).filter((path) => /^(run|diagnostics|state)\//.test(path) && !path.endsWith('.db'))
    expect(files.length).toBeGreaterThan(0)
    for (const path of files) await flipIn(path, () => undefined)
  })
})

/** What is expected of a flip at this position; undefined: SIGNED, with nothing found. */
type Outcome = (position: number) => Pick<Expectation, 'codes' | 'andOthers'> | undefined

async function toOutcome(path: string): Promise<Outcome> {
  const expected = table.find(({ files }) => files.test(path))
  if (!path.includes(homes.live.streamId) || !path.endsWith('.seg')) return () => expected
  // Of a stream that is being written, the last group that waits in the spool may as well be half written.
  const commits = await listCommitEnds(homes.live.streamId)
  const lastGroup = commits.at(-2) ?? 0
  return (position) => (position < lastGroup ? expected : undefined)
}

async function listCommitEnds(streamId: string): Promise<number[]> {
  const ends: number[] = []
  for await (const item of readSegments({
    layer: systemLayer,
    directory: join(homes.full, 'spool'),
    streamId,
    state: 'live',
  }))
    if (item.type === 'commit') ends.push(item.cursor.offset)
  return ends
}

async function flipIn(path: string, outcome: Outcome, count = perFile): Promise<void> {
  const file = join(work, path)
  const whole = readFileSync(file)
  const used = whole.findLastIndex((byte) => byte !== 0) + 1
  try {
    for (const { position, bit } of positionsOf(whole.length, used, count)) {
      writeFileSync(file, flip(whole, position, bit))
      await expectOutcome(`${path}, byte ${position}, bit ${bit}`, outcome(position))
    }
  } finally {
    writeFileSync(file, whole)
  }
}

async function expectOutcome(at: string, expected: ReturnType<Outcome>): Promise<void> {
  const judged = await verifyCopy(work)
  const { integrity, problems } = judged.verdict
  const found = { at, level: integrity.level, codes: codesOf(judged) }
  if (expected === undefined) {
    expect(found).toEqual({ at, level: 'SIGNED', codes: [] })
    return
  }
  expect(found).toMatchObject({ level: 'INVALID' })
  const named = found.codes.filter((code) => expected.codes.includes(code))
  expect({ ...found, named }).not.toMatchObject({ named: [] })
  if (expected.andOthers === undefined) expect(found).toEqual({ ...found, codes: named })
  // Whoever reads the verdict can go to the place.
  expect(problems.every(({ path, index, streamId }) => (path ?? index ?? streamId) !== undefined)).toBe(true)
}

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildHomes, collect, type Homes, runCommand, runSession, stopCollector } from './build-home.ts'
import {
  codesOf,
  copyHome,
  edit,
  isReplaced,
  listBundles,
  listFiles,
  putBack,
  rewriteBundle,
  verifyCopy,
} from './insider.ts'

let homes: Homes
beforeAll(async () => {
  homes = await buildHomes()
}, 180_000)
afterAll(() => homes.remove())

const store = 'store/collector.db'
const index = 'index/index.db'

/** Applies a change to a fresh copy and returns level and codes. */
async function tampered(change: (dir: string) => void, kept?: Uint8Array) {
  const dir = copyHome(homes.full, join(homes.directory, 'work'))
  change(dir)
  const checkpoints = kept === undefined ? [] : [{ bytes: kept, from: 'verifier' as const, name: 'kept' }]
  const judged = await verifyCopy(dir, checkpoints)
  return { level: judged.verdict.integrity.level, codes: codesOf(judged), judged }
}

describe('the home as it is', () => {
  it('is SIGNED, and says what that leaves open [T-4]', async () => {
    const { level, codes, judged } = await tampered(() => undefined)
    expect({ level, codes }).toEqual({ level: 'SIGNED', codes: [] })
    const open = judged.verdict.notProven.map(({ code }) => code)
    expect(open).toEqual(
      expect.arrayContaining(['no_rewrite', 'signing_key_readable', 'keys_from_log', 'tool_truth', 'coverage']),
    )
    expect(judged.notes).toEqual([expect.stringContaining('15 acknowledged records are in the spool')])
    expect(judged.checked.indexed).toBe(judged.checked.entries)
  })
  it('is CONTINUOUS with a checkpoint that was kept [T-4]', async () => {
    const kept = readFileSync(join(homes.earlier, 'log/checkpoint'))
    const { level, judged } = await tampered(() => undefined, kept)
    expect(level).toBe('CONTINUOUS')
    expect(judged.verdict.beyond.entries).toBeGreaterThan(100)
  })
})

describe('deleting', () => {
  const expected: readonly (readonly [RegExp, readonly string[]])[] = [
    [/^home\.json$/, ['file_altered']],
    [/^keys\/bodies\.key$/, ['key_disagrees']],
    [/^keys\/log\.pub$/, ['checkpoint_invalid', 'key_disagrees']],
    [/^keys\//, ['key_disagrees']],
    [/^signer\/state\.json$/, ['file_altered']],
    [/^log\/checkpoint$/, ['checkpoint_missing']],
    [/^log\/tile\/\d\//, ['tile_missing']],
    [/^spool\/streams\//, ['spool_altered']],
    [/^spool\/.*\.seg$/, ['stream_missing']],
    [/^store\/collector\.db$/, ['store_disagrees']],
    [/^index\/index\.db$/, []],
    [/^(run|diagnostics|state)\//, []],
  ]
  it('any one file is named, or loses nothing [T-5]', async () => {
    const paths = listFiles(homes.full)
    for (const path of paths) {
      // A partial tile that a longer one replaced serves nobody but readers of older checkpoints.
      const isStale = isReplaced(path, paths)
      const codes = isStale ? [] : expected.find(([files]) => files.test(path))?.[1]
      if (codes === undefined || path.includes('-wal') || path.includes('-shm')) continue
      const found = await tampered((dir) => rmSync(join(dir, path)))
      expect({ path, level: found.level, codes: found.codes }).toEqual({
        path,
        level: codes.length === 0 ? 'SIGNED' : 'INVALID',
        codes,
      })
    }
  }, 120_000)
  it('a bundle takes its entries with it [T-5]', async () => {
    for (const { path } of listBundles(homes.full)) {
      const { level, codes } = await tampered((dir) => rmSync(join(dir, path)))
      expect({ path, level, codes }).toMatchObject({
        level: 'INVALID',
        codes: expect.arrayContaining(['bundle_missing']),
      })
    }
  })
  it('the whole log, with or without the store, is not taken for a new home [T-5]', async () => {
    const noLog = await tampered((dir) => rmSync(join(dir, 'log'), { recursive: true }))
    expect(noLog).toMatchObject({ level: 'INVALID', codes: ['checkpoint_missing'] })
    const nothing = await tampered((dir) => {
      for (const folder of ['log', 'store', 'signer', 'index']) rmSync(join(dir, folder), { recursive: true })
    })
    expect(nothing.level).toBe('INVALID')
    expect(nothing.codes).toContain('checkpoint_missing')
  })
  it('a waiting stream with its claim is noticed as soon as a later stream names it, and not before: the verdict says so [T-6]', async () => {
    const { streamId } = homes.live
    const [segment = ''] = readdirSync(join(homes.full, 'spool')).filter((name) => name.startsWith(streamId))
    const claims = readdirSync(join(homes.full, 'spool/streams')).sort()
    const ofStream = (id: string) =>
      claims.find((name) => readFileSync(join(homes.full, 'spool/streams', name), 'utf8').includes(id)) ?? ''
    const last = await tampered((dir) => {
      rmSync(join(dir, 'spool', segment))
      rmSync(join(dir, 'spool/streams', ofStream(streamId)))
    })
    expect(last).toMatchObject({ level: 'SIGNED', codes: [] })
    expect(last.judged.verdict.notProven.map(({ code }) => code)).toContain('coverage')
  })
})

describe('the log', () => {
  const lastBundle = () => listBundles(homes.full).at(-1)?.path ?? ''
  const firstBundle = () => listBundles(homes.full)[0]?.path ?? ''
  it('swapping two entries names the first of them [T-7]', async () => {
    const { level, codes, judged } = await tampered((dir) =>
      rewriteBundle(dir, firstBundle(), (entries) => {
        const [a, b] = [entries[10], entries[20]]
        return entries.map((entry, i) => (i === 10 && b ? b : i === 20 && a ? a : entry))
      }),
    )
    expect(level).toBe('INVALID')
    expect(codes).toContain('entry_altered')
    expect(judged.verdict.firstBad).toMatchObject({ index: 10, code: 'entry_altered' })
  })
  it('reversing a bundle, doubling an entry, dropping one and changing one are all named [T-7]', async () => {
    const reversed = await tampered((dir) => rewriteBundle(dir, lastBundle(), (entries) => entries.toReversed()))
    const doubled = await tampered((dir) =>
      rewriteBundle(dir, firstBundle(), (e) => e.map((one, i) => (i === 5 ? (e[4] ?? one) : one))),
    )
    const dropped = await tampered((dir) => rewriteBundle(dir, firstBundle(), (entries) => entries.toSpliced(7, 1)))
    const changed = await tampered((dir) =>
      rewriteBundle(dir, firstBundle(), (entries) => {
        const texts = entries.map((entry) => Buffer.from(entry).toString('utf8'))
        const at = texts.findIndex((text) => text.includes('"outcome":"success"'))
        return entries.toSpliced(at, 1, Buffer.from(texts[at]?.replace('"success"', '"denied "') ?? ''))
      }),
    )
    expect(reversed).toMatchObject({ level: 'INVALID', codes: expect.arrayContaining(['entry_altered']) })
    expect(doubled).toMatchObject({ level: 'INVALID', codes: expect.arrayContaining(['entry_altered']) })
    expect(doubled.judged.verdict.firstBad?.index).toBe(5)
    expect(dropped).toMatchObject({ level: 'INVALID', codes: expect.arrayContaining(['bundle_malformed']) })
    expect(changed.level).toBe('INVALID')
  })
  it('an older checkpoint put back is a rollback [T-8]', async () => {
    const found = await tampered((dir) => putBack('log/checkpoint', homes.earlier, dir))
    expect(found.level).toBe('INVALID')
    expect(found.codes).toContain('rolled_back')
  })
  it('cutting the last entries together with the checkpoint is a rollback [T-8]', async () => {
    const found = await tampered((dir) => putBack('log', homes.earlier, dir))
    expect(found.level).toBe('INVALID')
    expect(found.codes).toContain('rolled_back')
  })
  it('an older signer state is a rollback as well [T-8]', async () => {
    const found = await tampered((dir) => putBack('signer', homes.earlier, dir))
    expect(found).toMatchObject({ level: 'INVALID', codes: ['rolled_back'] })
  })
})

describe('bodies', () => {
  it('deleting one, all, or the key to them is a missing body [T-9]', async () => {
    const one = await tampered((dir) =>
      edit(dir, store, 'DELETE FROM bodies WHERE leaf = (SELECT max(leaf) FROM bodies)'),
    )
    expect(one).toMatchObject({
      level: 'INVALID',
      codes: ['body_missing', 'index_disagrees', 'store_disagrees'].filter((c) => one.codes.includes(c)),
    })
    expect(one.codes).toContain('body_missing')
    const all = await tampered((dir) => edit(dir, store, 'DELETE FROM bodies'))
    expect(all.codes).toContain('body_missing')
    const key = await tampered((dir) => edit(dir, store, 'DELETE FROM wrap_keys'))
    expect(key.codes).toContain('body_missing')
    const secrets = await tampered((dir) => edit(dir, store, 'DELETE FROM secrets'))
    expect(secrets.codes).toContain('body_missing')
  })
  it('exchanging two, or wrapping one for another person, is named [T-9]', async () => {
    const exchanged = await tampered((dir) =>
      edit(
        dir,
        store,
        'CREATE TEMP TABLE t AS SELECT leaf, body FROM bodies ORDER BY leaf LIMIT 2',
        'UPDATE bodies SET body = (SELECT body FROM t WHERE t.leaf <> bodies.leaf) WHERE leaf IN (SELECT leaf FROM t)',
      ),
    )
    expect(exchanged).toMatchObject({ level: 'INVALID', codes: expect.arrayContaining(['body_altered']) })
    const moved = await tampered((dir) =>
      edit(dir, store, "UPDATE wrap_keys SET subject = 's_0000000000000000' WHERE subject <> ''"),
    )
    expect(moved).toMatchObject({ level: 'INVALID', codes: ['store_disagrees'] })
  })
})

describe('the store', () => {
  it.each([
    ['a stream set back', 'UPDATE streams SET next_seq = next_seq - 1 WHERE next_seq > 5'],
    ['a stream with another head', "UPDATE streams SET head_hash = x'00' WHERE next_seq > 5"],
    ['a stream closed', "UPDATE streams SET standing = 'recovered' WHERE standing = 'closed' AND next_seq > 5"],
    ['a stream made the collector’s own', 'UPDATE streams SET own = 1 WHERE next_seq > 5'],
    ['a stream deleted', 'DELETE FROM ranges WHERE stream = (SELECT max(id) FROM streams)'],
    ['a tree that is shorter', 'UPDATE tree SET size = size - 1'],
    ['another root', 'UPDATE tree SET root = zeroblob(32)'],
    ['an invented reference', "INSERT INTO subject_references VALUES ('subject', x'01', 's_0000000000000001')"],
    ['references of another person', "UPDATE subject_references SET identity_key = x'02'"],
    ['an invented table', 'CREATE TABLE more (a)'],
  ])('%s disagrees with the log [T-10]', async (_what, statement) => {
    const found = await tampered((dir) => edit(dir, store, 'PRAGMA foreign_keys=OFF', statement))
    expect(found).toMatchObject({ level: 'INVALID', codes: expect.arrayContaining(['store_disagrees']) })
  })
})

describe('the index alone', () => {
  it.each([
    ['an outcome', "UPDATE calls SET outcome = 'success', status = 'success' WHERE outcome = 'tool_error'"],
    ['a tool', "UPDATE calls SET tool = 'harmless' WHERE leaf = (SELECT min(leaf) FROM calls WHERE tool IS NOT NULL)"],
    ['who acted', "UPDATE calls SET agent = 'somebody'"],
    ['a call deleted', 'DELETE FROM calls WHERE leaf = (SELECT max(leaf) FROM calls)'],
    [
      'a call invented',
      `INSERT INTO calls (leaf, callId, streamId, seq, headerHash, time, observedTime, bootId, monotonicUs, kind, vantage,
         direction, requestKey, sessionSource, server, effect, level, disposition, mode, classification, tags, inputBytes, requestedPriority)
       SELECT 100000, callId, streamId, seq, headerHash, time, observedTime, bootId, monotonicUs, kind, vantage,
         direction, requestKey, sessionSource, server, effect, level, disposition, mode, classification, tags, inputBytes, requestedPriority
       FROM calls LIMIT 1`,
    ],
    ['a record deleted', 'DELETE FROM records'],
    [
      'a call counted as another',
      'UPDATE calls SET joinedTo = 1, countedAt = 1 WHERE leaf = (SELECT max(leaf) FROM calls)',
    ],
    ['a call counted elsewhere', 'UPDATE calls SET countedAt = 1 WHERE leaf = (SELECT max(leaf) FROM calls)'],
    ['a link deleted', 'DELETE FROM links WHERE leaf = (SELECT max(leaf) FROM links)'],
    [
      'a link invented',
      'INSERT INTO links SELECT leaf, record, 0, x\'01\', slot, start, "end" FROM links ORDER BY leaf LIMIT 1',
    ],
    [
      'a link of nothing',
      'INSERT INTO links SELECT 100000, 100000, 0, x\'01\', slot, start, "end" FROM links ORDER BY leaf LIMIT 1',
    ],
    ['the cursor', 'UPDATE cursor SET size = size + 1'],
    ['a trigger', 'CREATE TRIGGER hide AFTER INSERT ON calls BEGIN DELETE FROM calls WHERE leaf = new.leaf; END'],
    ['a search path removed', 'DROP INDEX callsByTool'],
  ])('%s: the index disagrees, the log is named sound, and a rebuild heals it [T-11]', async (_what, statement) => {
    const found = await tampered((dir) => edit(dir, index, statement))
    expect(found).toMatchObject({ level: 'INVALID', codes: ['index_disagrees'] })
    expect(found.judged.verdict.problems[0]?.message).toContain('affidavit index rebuild')
    const dir = join(homes.directory, 'work')
    expect(runCommand(['index', 'rebuild', '--home', dir]).code).toBe(0)
    expect((await verifyCopy(dir)).verdict.integrity.level).toBe('SIGNED')
  })
})

describe('the holder of the keys', () => {
  it('can take the whole home back to an earlier state unseen: the verdict states it, a kept checkpoint shows it [T-12]', async () => {
    const kept = readFileSync(join(homes.full, 'log/checkpoint'))
    const alone = await verifyCopy(homes.earlier)
    expect(alone.verdict.integrity.level).toBe('SIGNED')
    expect(alone.verdict.notProven.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['no_rewrite', 'signing_key_readable']),
    )
    const held = await verifyCopy(homes.earlier, [{ bytes: kept, from: 'verifier', name: 'kept' }])
    expect(held.verdict.integrity.level).toBe('INVALID')
    expect(codesOf(held)).toEqual(['rolled_back'])
  })
  it('can write another history and sign it: the verdict states it, a kept checkpoint shows the fork [T-12]', async () => {
    const kept = readFileSync(join(homes.full, 'log/checkpoint'))
    const forged = copyHome(homes.earlier, join(homes.directory, 'forged'))
    await runSession(forged, join(homes.directory, 'files'), 60)
    stopCollector(forged)
    collect(forged)
    const alone = await verifyCopy(forged)
    expect({ level: alone.verdict.integrity.level, codes: codesOf(alone) }).toEqual({ level: 'SIGNED', codes: [] })
    expect(alone.verdict.notProven.map(({ code }) => code)).toContain('no_rewrite')
    const held = await verifyCopy(forged, [{ bytes: kept, from: 'verifier', name: 'kept' }])
    expect(held.verdict.integrity.level).toBe('INVALID')
    expect(codesOf(held)).toEqual(['forked'])
  }, 120_000)
  it('cannot do so with the command either: exit codes follow the verdict [T-12]', () => {
    const kept = join(homes.full, 'log/checkpoint')
    expect(runCommand(['verify', '--home', homes.earlier]).code).toBe(0)
    const held = runCommand(['verify', '--home', homes.earlier, '--checkpoint', kept])
    expect(held.code).toBe(1)
    expect(held.stdout).toMatch(/integrity +INVALID/)
    expect(held.stdout).toContain('[rolled_back]')
    const foreign = join(homes.directory, 'foreign')
    writeFileSync(foreign, 'no checkpoint\n')
    expect(runCommand(['verify', '--home', homes.earlier, '--checkpoint', foreign]).code).toBe(2)
    expect(existsSync(foreign)).toBe(true)
  })
})

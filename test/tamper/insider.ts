import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeBundle, encodeBundle } from '@affidavit/evidence/log/bundle'
import type { KeptCheckpoint } from '@affidavit/evidence/verify/checkpoints'
import { type HomeVerdict, verifyHome } from '../../packages/affidavit/src/cli/verify-home.ts'

/** What an insider with root does to a copy of a home, and what verification says then. */

export function verifyCopy(dir: string, kept: KeptCheckpoint[] = []): Promise<HomeVerdict> {
  const onProgress = () => undefined
  return verifyHome({ dir, keys: [], kept, nowMs: Date.now(), onProgress, isStopped: () => false })
}

/** All codes that were found; the cause among them, also where its effects fill the list. */
export function codesOf({ verdict }: HomeVerdict): string[] {
  const first = verdict.firstBad === null ? [] : [verdict.firstBad.code]
  return [...new Set([...first, ...verdict.problems.map(({ code }) => code)])].sort()
}

export function listFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** A fresh copy of the home for one change. */
export function copyHome(from: string, to: string): string {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
  return to
}

/** Puts one file, or one folder, of another home in place of this one's. */
export function putBack(path: string, from: string, to: string): void {
  rmSync(join(to, path), { recursive: true, force: true })
  if (existsSync(join(from, path))) cpSync(join(from, path), join(to, path), { recursive: true })
}

export function flip(bytes: Uint8Array, position: number, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[position] = (flipped[position] ?? 0) ^ (1 << bit)
  return flipped
}

/** First, last, and some between, the same in every run; `used` is where the bytes end that say something. */
export function positionsOf(size: number, used: number, count: number): { position: number; bit: number }[] {
  let state = 20261120
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state % below
  }
  const between = Array.from({ length: count }, (_, i) => next(i % 4 === 3 ? size : used))
  return [...new Set([0, used - 1, size - 1, ...between])].map((position) => ({ position, bit: next(8) }))
}

/** Everything a database says, and what SQLite finds wrong with it: two that are equal here answer every query alike. */
export function describeDatabase(file: string): string {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const damage = db.prepare('PRAGMA integrity_check(1)').all()
    const version = db.prepare('PRAGMA user_version').get()
    const tables = db
      .prepare("SELECT name, sql, type FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
      .all()
    const rows = tables
      .filter(({ type }) => type === 'table')
      .map(({ name }) =>
        db
          .prepare(`SELECT * FROM "${String(name)}"`)
          .all()
          .map(toText),
      )
    return JSON.stringify([damage, version, tables, rows])
  } catch (error) {
    return String(error)
  } finally {
    db.close()
  }
}

function toText(row: Record<string, unknown>) {
  return Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  ])
}

/** Runs statements on a database of the home, as root would. */
export function edit(dir: string, path: string, ...statements: string[]): void {
  const db = new DatabaseSync(join(dir, path))
  for (const statement of statements) db.exec(statement)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

/** Whether a longer version of this partial tile or bundle is there too. */
export function isReplaced(path: string, paths: readonly string[]): boolean {
  const [tile, width] = path.split('.p/')
  if (width === undefined) return false
  return paths.some(
    (other) => other === tile || (other.startsWith(`${tile}.p/`) && Number(other.split('.p/')[1]) > Number(width)),
  )
}

/** Entry bundles of the log with their widths. */
export function listBundles(dir: string): { path: string; width: number }[] {
  const all = listFiles(join(dir, 'log')).filter((path) => path.startsWith('tile/entries/'))
  const full = all.filter((path) => !path.includes('.p/')).map((path) => ({ path: `log/${path}`, width: 256 }))
  const partial = all
    .filter((path) => path.includes('.p/'))
    .map((path) => ({ path: `log/${path}`, width: Number(path.split('/').at(-1)) }))
    .sort((a, b) => b.width - a.width)
    .filter(({ path }, i, list) => list.findIndex((other) => other.path.split('.p/')[0] === path.split('.p/')[0]) === i)
    .filter(({ path }) => !full.some((one) => one.path === path.split('.p/')[0]))
  return [...full, ...partial]
}

/** Rewrites the entries of one bundle, leaving everything else as it is. */
export function rewriteBundle(dir: string, path: string, change: (entries: Uint8Array[]) => Uint8Array[]): void {
  const file = join(dir, path)
  const width = path.includes('.p/') ? Number(path.split('/').at(-1)) : 256
  writeFileSync(file, encodeBundle(change(decodeBundle(readFileSync(file), width))))
}

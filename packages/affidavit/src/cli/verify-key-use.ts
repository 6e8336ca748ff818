import { type Stats, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import type { Circumstances } from '@affidavit/evidence/verify/verdict'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'
import type { LogFacts } from './verify-facts.ts'
import type { HomeKeys } from './verify-keys.ts'
import type { Spool } from './verify-spool.ts'

/** What there is in a home that a key must have been used for. */
export interface KeyUse {
  spool: Spool
  facts: LogFacts
  /** Something was signed by the log key, or sequenced into the store whose bodies the key to all bodies protects. */
  isPublished: boolean
}

/** Paths of keys that nothing recorded so far refers to: `absent` are not there, of `unreferenced` nobody could tell another one. */
export interface UnusedKeys {
  absent: string[]
  unreferenced: string[]
}

interface UsedKey {
  path: string
  id: string | undefined
  /** Ids that records name; a key that has to be another one was exchanged. */
  seen: ReadonlySet<string>
  /** Whether something cannot have been made without it. */
  isUsed: boolean
}

/** Keys that records refer to are the ones that lie in keys/, and none that was used is missing. */
export function compareKeys(keys: HomeKeys, use: KeyUse, problems: ProblemSink): UnusedKeys {
  const used = listUsed(keys, use)
  for (const { path, id, seen, isUsed } of used) {
    const isMissing = keys.missing.includes(path)
    if (isMissing && isUsed) problems.add('key_disagrees', { path }, `${path} is missing, and was used here`)
    if (id === undefined || seen.size === 0 || seen.has(id)) continue
    const names = [...seen].slice(0, 3).join(', ')
    problems.add('key_disagrees', { path }, `${path} is not the key that was used here (${names})`)
  }
  return {
    absent: used.filter(({ path, isUsed }) => keys.missing.includes(path) && !isUsed).map(({ path }) => path),
    unreferenced: used.filter(({ id, seen }) => id !== undefined && seen.size === 0).map(({ path }) => path),
  }
}

function listUsed(keys: HomeKeys, { spool, facts, isPublished }: KeyUse): UsedKey[] {
  const openings = [...facts.openings.values()]
  const spooled = [...spool.streams.values()]
  const sensors = new Set([
    ...openings.flatMap(({ sensorId }) => sensorId ?? []),
    ...spool.claims.map(({ sensorId }) => sensorId),
  ])
  const collectorKeys = new Set(spooled.flatMap(({ collectorKeyId }) => collectorKeyId ?? []))
  const digestKeys = new Set([...facts.digestKeys, ...spooled.flatMap(({ digestKeys }) => [...digestKeys])])
  const none: ReadonlySet<string> = new Set()
  // The secret of every stream is sealed to the collector's key, and goes with the segments.
  const wasSealed = collectorKeys.size > 0 || openings.some(({ own }) => !own)
  return [
    { path: 'keys/sensor.key', id: keys.sensorId, seen: sensors, isUsed: sensors.size > 0 },
    { path: 'keys/collector.key', id: keys.collectorKeyId, seen: collectorKeys, isUsed: wasSealed },
    { path: 'keys/correlation.key', id: keys.correlationKeyId, seen: digestKeys, isUsed: digestKeys.size > 0 },
    { path: 'keys/log.key', id: undefined, seen: none, isUsed: isPublished },
    { path: 'keys/log.pub', id: undefined, seen: none, isUsed: isPublished },
    { path: 'keys/bodies.key', id: undefined, seen: none, isUsed: isPublished },
  ]
}

type Owned = Pick<Stats, 'uid' | 'mode'>

/** Whether whoever writes records here could also sign the log: both keys belong to one user on a laptop. */
export function judgeSigningKey(paths: HomePaths): Circumstances['signingKey'] {
  const [log, sensor, ...directories] = [paths.logKey, paths.sensorKey, paths.keys, dirname(paths.keys)].map((path) =>
    statSync(path, { throwIfNoEntry: false }),
  )
  // Owner and mode say nothing there.
  if (process.platform === 'win32' || log === undefined || sensor === undefined) return 'unknown'
  const known = directories.filter((one) => one !== undefined)
  return isOutOfReach(log, known, sensor.uid) ? 'separate' : 'readable'
}

/** Root reads everything; a file that nobody else may read is still lost where its folder can be written. */
export function isOutOfReach(key: Owned, directories: readonly Owned[], uid: number): boolean {
  if (uid === 0 || key.uid === uid || (key.mode & 0o077) !== 0) return false
  return directories.every((one) => one.uid !== uid && (one.mode & 0o022) === 0)
}

/** Secret keys that group or others may read or write, as sentences. Empty where modes mean nothing. */
export function describeLooseKeys(paths: HomePaths): string[] {
  if (process.platform === 'win32') return []
  const { sensorKey, collectorKey, correlationKey, logKey, bodiesKey } = paths
  return [sensorKey, collectorKey, correlationKey, logKey, bodiesKey].flatMap((path) => {
    const mode = (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777
    if ((mode & 0o077) === 0) return []
    return [`keys/${basename(path)} has mode 0${mode.toString(8)}, others may use it: chmod 600 ${path}`]
  })
}

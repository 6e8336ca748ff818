import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { directions, type ReportedBy, reportedWays, vantages } from '@affidavit/evidence/record/kinds'
import { IndexError } from '../error.ts'
import { type LinkRole, linkRoles } from '../links.ts'
import { type CallEnd, type SeenCall, slotOf } from '../same-call.ts'
import { openEnd } from './schema.ts'

/** Reads calls as the rule for joining them takes them. */
export interface SeenCalls {
  read(leaf: number): SeenCall
  /** What was read is kept until then; due whenever rows have changed. */
  forget(): void
}

const columns = `leaf, vantage, reported, direction, coalesce(method, methodDigest) AS method, tool, toolDigest, sessionSource,
  sessionId, completedSessionId, traceId, hex(bootId) AS boot, time, monotonicUs, streamId, completedStreamId,
  completedMonotonicUs, outcome, responseBytes, until, isAnswered`

export function openSeenCalls(db: DatabaseSync): SeenCalls {
  const select = db.prepare(`SELECT ${columns} FROM calls WHERE leaf = ?`)
  const known = new Map<number, SeenCall>()
  return {
    read(leaf) {
      const seen = known.get(leaf) ?? parseSeenCall(select.get(leaf))
      known.set(leaf, seen)
      return seen
    },
    forget: () => known.clear(),
  }
}

type Row = Record<string, SQLOutputValue>

function parseSeenCall(row: Row | undefined): SeenCall {
  const { vantage, direction, sessionSource } = row ?? {}
  const isKnown = [row?.leaf, row?.time, row?.monotonicUs].every((value) => typeof value === 'number')
  const seenAt = vantages.find((known) => known === vantage)
  const way = directions.find((known) => known === direction)
  if (row === undefined || !isKnown || seenAt === undefined || way === undefined)
    throw new IndexError('index_unreadable', 'a row of the index has another shape than this version writes')
  const sessionId = text(row.sessionId)
  const opened = text(row.completedSessionId)
  // Only capture itself gives up on an outcome at once, and only where there is no id to wait for.
  const isGivenUp = row.completedStreamId === row.streamId && row.outcome === 'unknown' && row.responseBytes === null
  return {
    leaf: Number(row.leaf),
    vantage: seenAt,
    reported: reportedOf(row),
    direction: way,
    method: text(row.method) ?? '',
    tool: text(row.tool),
    toolDigest: text(row.toolDigest),
    sessions: [...(sessionSource === 'legacy-http' && sessionId ? [sessionId] : []), ...(opened ? [opened] : [])],
    conversation: sessionSource === 'declared' ? sessionId : undefined,
    traceId: text(row.traceId),
    hasId: !isGivenUp || row.reported !== null,
    boot: text(row.boot) ?? '',
    startMs: Number(row.time),
    startUs: Number(row.monotonicUs),
    end: endOf(row),
  }
}

function endOf({ until, completedMonotonicUs, isAnswered }: Row): CallEnd | undefined {
  if (until === openEnd) return undefined
  return { ms: Number(until), us: Number(completedMonotonicUs), isServers: isAnswered === 1 }
}

function reportedOf({ reported }: Row): ReportedBy | undefined {
  return reportedWays.find((way) => way === reported)
}

function text(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A link of a call as the index has it. */
export interface StoredLink {
  key: Uint8Array
  role: LinkRole
}

export function createLinkReader(db: DatabaseSync): (leaf: number) => StoredLink[] {
  const select = db.prepare('SELECT DISTINCT key, role FROM links WHERE leaf = ?')
  return (leaf) =>
    select.all(leaf).map(({ key, role }) => {
      const known = linkRoles[Number(role)]
      if (known === undefined || !(key instanceof Uint8Array))
        throw new IndexError('index_unreadable', 'a link of the index has another shape than this version writes')
      return { key, role: known }
    })
}

export function toRoleNumber(role: LinkRole): number {
  return linkRoles.indexOf(role)
}

/** What the rows of a call's links say of the call. In ms. */
export interface Span {
  slot: number
  start: number
  end: number
}

export function spanOf(seen: SeenCall): Span {
  return { slot: slotOf(seen), start: seen.startMs, end: seen.end?.ms ?? openEnd }
}

import type { DatabaseSync } from 'node:sqlite'

/** Raised whenever a column or its derivation changes: an index of another version is rebuilt, never migrated. */
export const indexVersion = 10

/** End of a call of which nothing says when it was over: it may be of one with anything later. */
export const openEnd = Number.MAX_SAFE_INTEGER
/** By the server, and not by somebody between. */
const isAnswer = "(outcome IN ('success', 'tool_error', 'protocol_error', 'continued', 'withheld'))"

/**
 * Derived from log and bodies alone, leaf by leaf, so that a rebuild gives the same rows. Every leaf is exactly one of:
 * `calls.leaf` (a `requested` record), `calls.completedLeaf`, or `records.leaf` (everything else).
 * Times are milliseconds since 1970. `calls.outcome` is null while a call is open.
 *
 * A call seen from several vantages has a row for each. `joinedTo` is the row of the best other record of the same call,
 * `countedAt` the one that stands for all of them; both are null in that one. `links` has what they were found by: `record`
 * is the leaf that names it. `until` is when the sensor itself saw the call end with an answer, whose size it knows; a report
 * need not tell the size.
 *
 * `valueMarks` has the marks of values by the `completed` record that tells of them: side 0 was given out by the call, side 1 was
 * handed to it.
 */
const tables = `
CREATE TABLE cursor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  origin TEXT NOT NULL,
  size INTEGER NOT NULL
) STRICT;
CREATE TABLE calls (
  leaf INTEGER PRIMARY KEY,
  callId TEXT NOT NULL,
  callGroupId TEXT,
  parentCallId TEXT,
  streamId TEXT NOT NULL,
  seq INTEGER NOT NULL,
  headerHash BLOB NOT NULL,
  time INTEGER NOT NULL,
  observedTime INTEGER NOT NULL,
  bootId BLOB NOT NULL,
  monotonicUs INTEGER NOT NULL,
  kind TEXT NOT NULL,
  vantage TEXT NOT NULL,
  reported TEXT,
  direction TEXT NOT NULL,
  method TEXT,
  methodDigest TEXT,
  requestKey BLOB NOT NULL,
  machineKey BLOB,
  sessionSource TEXT NOT NULL,
  sessionId TEXT,
  server TEXT NOT NULL,
  serverName TEXT,
  serverVersion TEXT,
  tool TEXT,
  toolDigest TEXT,
  toolDefinition TEXT,
  effect TEXT NOT NULL,
  effectClass TEXT,
  level TEXT NOT NULL,
  disposition TEXT NOT NULL,
  mode TEXT NOT NULL,
  classification TEXT NOT NULL,
  tags TEXT NOT NULL,
  inputBytes INTEGER NOT NULL,
  traceId TEXT,
  spanId TEXT,
  subject TEXT,
  credential TEXT,
  tokenFingerprint BLOB,
  agent TEXT,
  agentId TEXT,
  agentVersion TEXT,
  user TEXT,
  userId TEXT,
  run TEXT,
  purpose TEXT,
  requestedPriority INTEGER NOT NULL,
  completedLeaf INTEGER,
  completedStreamId TEXT,
  completedSeq INTEGER,
  completedTime INTEGER,
  completedObservedTime INTEGER,
  completedMonotonicUs INTEGER,
  completedSessionId TEXT,
  completedServerName TEXT,
  completedServerVersion TEXT,
  completedClassification TEXT,
  completedTags TEXT,
  outcome TEXT,
  status TEXT,
  httpStatus INTEGER,
  rpcCode INTEGER,
  responseBytes INTEGER,
  latencyUs INTEGER,
  completedPriority INTEGER,
  joinedTo INTEGER,
  countedAt INTEGER,
  priority INTEGER AS (max(requestedPriority, coalesce(completedPriority, 0))) VIRTUAL,
  session TEXT AS (coalesce(completedSessionId, sessionId)) VIRTUAL,
  until INTEGER AS (CASE
    WHEN completedStreamId <> streamId OR outcome IS NULL THEN ${openEnd}
    WHEN responseBytes IS NULL AND (reported IS NULL OR NOT ${isAnswer}) THEN ${openEnd}
    ELSE max(time, completedTime) END) VIRTUAL,
  isAnswered INTEGER AS (coalesce(${isAnswer}, 0)) VIRTUAL
) STRICT;
CREATE TABLE links (
  leaf INTEGER NOT NULL,
  record INTEGER NOT NULL,
  role INTEGER NOT NULL,
  key BLOB NOT NULL,
  slot INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  PRIMARY KEY (leaf, record, role, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE valueMarks (
  mark BLOB NOT NULL,
  side INTEGER NOT NULL,
  leaf INTEGER NOT NULL,
  PRIMARY KEY (mark, side, leaf)
) STRICT, WITHOUT ROWID;
CREATE TABLE records (
  leaf INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  stage TEXT,
  streamId TEXT NOT NULL,
  seq INTEGER NOT NULL,
  time INTEGER NOT NULL,
  observedTime INTEGER NOT NULL,
  server TEXT,
  callId TEXT,
  credential TEXT,
  tokenFingerprint BLOB,
  agent TEXT,
  user TEXT,
  event TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
`

const indexes = `
CREATE INDEX callsByTime ON calls (time);
CREATE INDEX callsById ON calls (callId);
CREATE INDEX callsByGroup ON calls (callGroupId) WHERE callGroupId IS NOT NULL;
CREATE INDEX callsByParent ON calls (parentCallId) WHERE parentCallId IS NOT NULL;
CREATE INDEX callsByTrace ON calls (traceId, time) WHERE traceId IS NOT NULL;
CREATE INDEX callsByRun ON calls (run, time) WHERE run IS NOT NULL;
CREATE INDEX callsBySession ON calls (session, time) WHERE session IS NOT NULL;
CREATE INDEX callsByTool ON calls (tool, time) WHERE tool IS NOT NULL;
CREATE INDEX callsNotSuccessful ON calls (outcome, time) WHERE outcome <> 'success';
CREATE INDEX callsByPriority ON calls (priority, time) WHERE priority > 0;
CREATE INDEX callsOpen ON calls (time) WHERE outcome IS NULL;
CREATE INDEX callsByCompleted ON calls (completedLeaf) WHERE completedLeaf IS NOT NULL;
CREATE INDEX callsByVantage ON calls (vantage, reported) WHERE countedAt IS NULL;
CREATE INDEX callsJoined ON calls (joinedTo) WHERE joinedTo IS NOT NULL;
CREATE INDEX callsCounted ON calls (countedAt) WHERE countedAt IS NOT NULL;
CREATE INDEX marksByLeaf ON valueMarks (leaf, side);
CREATE INDEX linksByKey ON links (key, role, slot, "end", start);
CREATE INDEX callsByCredential ON calls (credential, time) WHERE credential IS NOT NULL;
CREATE INDEX recordsByCredential ON records (credential) WHERE credential IS NOT NULL;
CREATE INDEX recordsByFingerprint ON records (detail ->> 'fingerprint') WHERE kind = 'auth';
CREATE INDEX recordsByUpstream ON records (detail ->> 'upstreamFingerprint')
  WHERE kind = 'auth' AND detail ->> 'upstreamFingerprint' IS NOT NULL;
CREATE INDEX recordsByTime ON records (time);
`

export function createSchema(db: DatabaseSync, origin: string): void {
  db.exec(tables)
  db.exec(indexes)
  db.prepare('INSERT INTO cursor (one, version, origin, size) VALUES (1, ?, ?, 0)').run(indexVersion, origin)
}

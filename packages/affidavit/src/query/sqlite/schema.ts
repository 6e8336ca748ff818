import type { DatabaseSync } from 'node:sqlite'

/** Raised whenever a column or its derivation changes: an index of another version is rebuilt, never migrated. */
export const indexVersion = 3

/**
 * Derived from log and bodies alone, leaf by leaf, so that a rebuild gives the same rows. Every leaf is exactly one of:
 * `calls.leaf` (a `requested` record), `calls.completedLeaf`, or `records.leaf` (everything else).
 * Times are milliseconds since 1970. `calls.outcome` is null while a call is open.
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
  streamId TEXT NOT NULL,
  seq INTEGER NOT NULL,
  headerHash BLOB NOT NULL,
  time INTEGER NOT NULL,
  observedTime INTEGER NOT NULL,
  kind TEXT NOT NULL,
  vantage TEXT NOT NULL,
  direction TEXT NOT NULL,
  method TEXT,
  sessionSource TEXT NOT NULL,
  sessionId TEXT,
  server TEXT NOT NULL,
  serverName TEXT,
  serverVersion TEXT,
  tool TEXT,
  toolDigest TEXT,
  toolDefinition TEXT,
  effect TEXT NOT NULL,
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
  agent TEXT,
  agentId TEXT,
  agentVersion TEXT,
  user TEXT,
  userId TEXT,
  completedLeaf INTEGER,
  completedStreamId TEXT,
  completedSeq INTEGER,
  completedTime INTEGER,
  completedObservedTime INTEGER,
  completedServerName TEXT,
  completedServerVersion TEXT,
  completedClassification TEXT,
  completedTags TEXT,
  outcome TEXT,
  status TEXT,
  httpStatus INTEGER,
  rpcCode INTEGER,
  responseBytes INTEGER,
  latencyUs INTEGER
) STRICT;
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
  event TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
`

const indexes = `
CREATE INDEX callsByTime ON calls (time);
CREATE INDEX callsById ON calls (callId);
CREATE INDEX callsBySession ON calls (sessionId, time) WHERE sessionId IS NOT NULL;
CREATE INDEX callsByTool ON calls (tool, time) WHERE tool IS NOT NULL;
CREATE INDEX callsNotSuccessful ON calls (outcome, time) WHERE outcome <> 'success';
CREATE INDEX callsOpen ON calls (time) WHERE outcome IS NULL;
CREATE INDEX callsByCompleted ON calls (completedLeaf) WHERE completedLeaf IS NOT NULL;
CREATE INDEX recordsByTime ON records (time);
`

export function createSchema(db: DatabaseSync, origin: string): void {
  db.exec(tables)
  db.exec(indexes)
  db.prepare('INSERT INTO cursor (one, version, origin, size) VALUES (1, ?, ?, 0)').run(indexVersion, origin)
}

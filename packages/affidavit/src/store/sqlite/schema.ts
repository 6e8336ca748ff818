/**
 * Tables of store/collector.db. What is not here: entries and hashes (tiles), times, tools, people's names. Columns
 * hold 32-byte hashes as BLOB; leaf indexes and sequence numbers are integers below 2^53.
 */
export const schemaVersion = 1

export const schema = `
CREATE TABLE tree (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL
) STRICT;

CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  stream_id TEXT NOT NULL UNIQUE,
  sensor_id TEXT,
  sensor_key BLOB,
  counter INTEGER,
  boot_id TEXT,
  opened_time TEXT,
  next_seq INTEGER NOT NULL,
  head_hash BLOB,
  standing TEXT NOT NULL,
  refusal_code TEXT,
  refusal_reason TEXT,
  refusal_seq INTEGER,
  own INTEGER NOT NULL
) STRICT;
-- Two streams with one number are a cloned sensor. A refused stream may claim a number that is taken: it says so, that is all.
CREATE UNIQUE INDEX streams_counter ON streams (sensor_id, counter) WHERE next_seq > 0;

CREATE TABLE ranges (
  first_leaf INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES streams (id),
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ranges_stream ON ranges (stream, first_seq);

CREATE TABLE open_calls (
  requested_hash BLOB PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES streams (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  call_id TEXT NOT NULL,
  call_group_id TEXT,
  subject TEXT,
  credential TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX open_calls_stream ON open_calls (stream, seq);

CREATE TABLE bodies (
  leaf INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;

-- Deletable: without the row nobody can say whom a reference in an entry means.
CREATE TABLE subject_references (
  kind TEXT NOT NULL,
  identity_key BLOB NOT NULL,
  reference TEXT NOT NULL UNIQUE,
  PRIMARY KEY (kind, identity_key)
) STRICT, WITHOUT ROWID;

-- Deletable: without the row no record under this key can ever be opened again.
CREATE TABLE wrap_keys (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  retention TEXT NOT NULL,
  month TEXT NOT NULL,
  kek_id TEXT NOT NULL,
  wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX wrap_keys_scope ON wrap_keys (subject, retention, month);

CREATE TABLE secrets (
  first_leaf INTEGER NOT NULL,
  wrap_key TEXT NOT NULL,
  salt BLOB NOT NULL,
  offsets BLOB NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (first_leaf, wrap_key)
) STRICT, WITHOUT ROWID;
`

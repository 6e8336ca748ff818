import type { SqlEffect, SqlUnseen } from './reading.ts'

/** Functions of the dialects that reach outside the database, with the effect they have at the least. */
export interface Reach {
  effect: SqlEffect
  unseen?: SqlUnseen
}

const reads: Reach = { effect: 'read' }
const sends: Reach = { effect: 'external-send' }
/** They take the text of a statement and send it to another server. */
const remote: Reach = { effect: 'external-send', unseen: 'code' }
const runsCode: Reach = { effect: 'unknown', unseen: 'code' }

const names: Readonly<Record<string, Reach>> = {
  // PostgreSQL: https://www.postgresql.org/docs/current/functions-admin.html, lo-funcs.html, contrib
  pg_read_file: reads, pg_read_binary_file: reads, pg_stat_file: reads, pg_ls_dir: reads, pg_ls_logdir: reads, pg_ls_waldir: reads,
  lo_import: { effect: 'write' }, lo_export: sends, pg_file_write: sends, pg_file_unlink: { effect: 'destructive' },
  pg_terminate_backend: { effect: 'write' }, pg_reload_conf: { effect: 'write' }, pg_switch_wal: { effect: 'write' },
  lo_unlink: { effect: 'destructive' }, setval: { effect: 'write' }, nextval: { effect: 'write' }, set_config: reads,
  dblink: remote, dblink_exec: remote, dblink_open: remote, dblink_send_query: remote, dblink_connect: sends,
  query_to_xml: runsCode, cursor_to_xml: runsCode, table_to_xml: runsCode, schema_to_xml: runsCode, database_to_xml: runsCode,
  // MySQL
  load_file: reads, sys_exec: sends, sys_eval: sends,
  // SQLite, its shell and common extensions
  readfile: reads, writefile: sends, load_extension: sends, edit: sends, fsdir: reads,
  // SQL Server
  openrowset: reads, openquery: remote, opendatasource: sends, xp_cmdshell: sends, xp_dirtree: reads, sp_oacreate: sends,
  sp_oamethod: sends, sp_executesql: runsCode, sp_execute_external_script: runsCode, sp_send_dbmail: sends, xp_regread: reads,
  xp_regwrite: { effect: 'write' }, sp_configure: { effect: 'write' },
  // BigQuery
  external_query: remote,
  // Snowflake
  'system$send_email': sends,
} // biome-ignore format: a table

export const reachOf = (name: string): Reach | undefined => {
  const last = name.slice(name.lastIndexOf('.') + 1)
  return Object.hasOwn(names, last) ? names[last] : undefined
}

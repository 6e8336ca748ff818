import type { SqlEffect } from './reading.ts'

const order: readonly SqlEffect[] = ['read', 'unknown', 'write', 'destructive', 'external-send']

/** The gravest of several: what is certain goes over what is unknown, but for reading. */
export const gravest = (effects: readonly SqlEffect[]): SqlEffect =>
  effects.reduce((worst, effect) => (order.indexOf(effect) > order.indexOf(worst) ? effect : worst), 'read')

const read = [
  'select', 'values', 'table', 'show', 'describe', 'explain', 'fetch', 'declare', 'set', 'reset', 'begin', 'commit', 'rollback',
  'savepoint', 'release', 'use', 'lock', 'unlock', 'listen', 'unlisten', 'deallocate', 'close', 'discard', 'move', 'open', 'print',
  'detach', 'abort', 'list', 'return', 'help', 'checksum', 'handler', 'pragma',
] // biome-ignore format: a list
const write = [
  'insert', 'update', 'merge', 'replace', 'create', 'alter', 'grant', 'revoke', 'deny', 'comment', 'rename', 'vacuum', 'analyze',
  'reindex', 'cluster', 'refresh', 'load', 'bulk insert', 'notify', 'attach', 'optimize', 'repair', 'flush', 'kill', 'security',
  'checkpoint', 'reassign', 'import', 'install', 'enable', 'disable', 'undrop', 'cache', 'shutdown', 'restart', 'change', 'start', 'stop',
  'dbcc', 'reconfigure', 'check',
] // biome-ignore format: a list
const destructive = ['delete', 'drop', 'truncate', 'restore', 'purge', 'remove', 'uninstall']
const externalSend = ['backup', 'export', 'put', 'get']

const effects = new Map<string, SqlEffect>([
  ...read.map((verb): [string, SqlEffect] => [verb, 'read']),
  ...write.map((verb): [string, SqlEffect] => [verb, 'write']),
  ...destructive.map((verb): [string, SqlEffect] => [verb, 'destructive']),
  ...externalSend.map((verb): [string, SqlEffect] => [verb, 'external-send']),
])

/** What a statement with this verb does where nothing more is known of it. */
export const effectOfVerb = (verb: string): SqlEffect => effects.get(verb) ?? 'unknown'

/**
 * The same for a statement that could not be read: a verb that only reads may carry anything (a data-changing common
 * table expression, SELECT INTO, EXPLAIN ANALYZE), so that `read` is never said of what was not read.
 */
export const effectUnread = (verb: string | undefined): SqlEffect => {
  const effect = verb === undefined ? 'unknown' : effectOfVerb(verb)
  return effect === 'read' ? 'unknown' : effect
}

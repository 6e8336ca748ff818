import type { DatabaseSync } from 'node:sqlite'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import { fetchRecords } from '../query/fetch.ts'
import { parseOpened } from '../query/opened-section.ts'
import {
  type CredentialLife, countUsesAfter, credentialOfLeaf, findByFingerprint, listCredentials, readLife,
} from '../query/sqlite/credential.ts' // biome-ignore format: one list
import { readSize } from '../query/sqlite/write.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { credentialColumns, lifeLines, type ToldLife } from './credential-text.ts'
import { CommandError, exitCodes, usageError } from './failure.ts'
import { findRecord } from './find-record.ts'
import { formatNumberOf } from './format.ts'
import { type OpenSource, openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type Arguments, type CommandSpec, homeOption, jsonOption, parseCount } from './options.ts'
import { formatTable } from './table.ts'
import { rankOf } from './trace-actors.ts'

const listedDefault = 50

const spec: CommandSpec = {
  name: 'credential',
  summary: 'Follows one credential through its life: judged, exchanged, used, by whom and until when.',
  positionals: ['[ID]'],
  options: {
    limit: { type: 'string', value: 'N', text: `without ID: the last used N only (default: ${listedDefault})` },
    ...jsonOption,
    ...homeOption,
  },
  examples: [
    { command: 'affidavit credential', text: 'Every credential that came along, the last used one at the end' },
    { command: 'affidavit credential c_5f0d2c9a1b7e4433', text: 'The life of one' },
    { command: 'affidavit credential 5d1c07aa', text: 'Of the one that a call was made with' },
  ],
  notes: [
    "ID is a reference (c_ and 16 hex digits), the SHA-256 of a token as others print it (hex or base64), a call's id or part of one, or leaf:N.",
    'The token itself is nowhere: a reference is a random name, which the collector gives to each.',
  ],
}

export const credential: Command = {
  spec,
  run: async (args, context) => {
    const limit = parseCount(spec, 'limit', args.text('limit'), 1)
    const [id] = args.positionals
    if (id !== undefined && limit !== undefined) throw usageError(spec.name, '--limit goes with the list, without ID')
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      try {
        if (id === undefined) await writeList(db, { limit: limit ?? listedDefault, args }, context)
        else await writeLives({ db, source }, findAsked(db, id), args, context)
      } finally {
        db.close()
      }
    } finally {
      source.close()
    }
    return exitCodes.done
  },
}

async function writeList(
  db: DatabaseSync,
  { limit, args }: { limit: number; args: Arguments },
  context: CommandContext,
) {
  const { stdout, stderr } = context
  const { credentials, total } = listCredentials(db, limit)
  if (args.flag('json')) {
    for (const { firstMs, lastMs, ...rest } of credentials)
      await stdout.write(`${JSON.stringify({ ...rest, first: toTime(firstMs), last: toTime(lastMs) })}\n`)
    return
  }
  if (total === 0) return stderr.write('no call came with a credential\n')
  await stdout.write(formatTable(credentialColumns, credentials, stdout).text)
  if (credentials.length < total)
    await stderr.write(
      `the last used ${credentials.length} of ${formatNumberOf(total, 'credential', 'credentials')}: --limit shows more\n`,
    )
}

const referenceForm = /^c_[0-9a-f]{16}$/
const hexForm = /^[0-9a-fA-F]{64}$/
const recordForm = /^(?:leaf:\d+|[0-9a-fA-F-]{4,36})$/
const base64Form = /^[A-Za-z0-9+/_-]{43}=?$/

/** References the id stands for. Throws CommandError `AFD_NOT_FOUND` and what findRecord throws. */
function findAsked(db: DatabaseSync, id: string): string[] {
  if (referenceForm.test(id)) return [id]
  const form = hexForm.test(id) ? 'hex' : base64Form.test(id) ? 'base64' : undefined
  if (form !== undefined) {
    const found = findByFingerprint(db, Buffer.from(id, form))
    if (found.length === 0) throw notFound('no credential with this SHA-256 came along')
    return found
  }
  if (!recordForm.test(id))
    throw usageError(
      spec.name,
      `'${id}' is neither a reference (c_ and 16 hex digits) nor a SHA-256, a call id or leaf:N`,
    )
  const named = findRecord(db, spec.name, id, readSize(db))
  const leaf = named.type === 'call' ? named.place.leaf : named.leaf
  const found = credentialOfLeaf(db, leaf)
  if (found === undefined) throw notFound(`no credential came with ${id}`)
  return [found]
}

function notFound(problem: string): CommandError {
  return new CommandError('AFD_NOT_FOUND', problem, "List credentials with 'affidavit credential'.")
}

async function writeLives(
  { db, source }: { db: DatabaseSync; source: OpenSource },
  references: readonly string[],
  args: Arguments,
  { stdout }: CommandContext,
): Promise<void> {
  for (const reference of references) {
    const life = readLife(db, reference)
    if (life === undefined) throw notFound(`no record has the credential ${reference}`)
    const told = await tell(db, life, source)
    if (args.flag('json')) await stdout.write(`${JSON.stringify(toLifeObject(told))}\n`)
    else for (const line of lifeLines(told, stdout)) await stdout.write(`${line}\n`)
  }
}

async function tell(db: DatabaseSync, life: CredentialLife, source: OpenSource): Promise<ToldLife> {
  const records = await fetchRecords(source, life.leaves)
  const [identity] = [...records.values()]
    .flatMap(({ sections }) => parseOpened(sections.identity, parseIdentity) ?? [])
    .sort((a, b) => rankOf(b) - rankOf(a))
  const token = identity === undefined || 'absent' in identity.token ? undefined : identity.token
  const expires = token?.expires ?? life.judgements.find((each) => each.expires !== undefined)?.expires
  return {
    life,
    identity,
    expires,
    warnings: [...listWarnings(db, { life, expires, isProven: token?.assurance === 'verified' })],
  }
}

function* listWarnings(
  db: DatabaseSync,
  { life, expires, isProven }: { life: CredentialLife; expires: string | undefined; isProven: boolean },
): Generator<string> {
  const { credential, judgements, agents } = life
  const late = expires === undefined ? 0 : countUsesAfter(db, credential, Date.parse(expires))
  if (late > 0) yield `${formatNumberOf(late, 'call', 'calls')} went on after it had expired (${expires})`
  for (const { event, code = 'without a code', mode, firstMs } of judgements) {
    // That an issuer could not be asked says nothing of the credential.
    if (event !== 'refused' || code.endsWith('_unavailable')) continue
    const later = countUsesAfter(db, credential, firstMs + 1)
    const how = mode === 'observe' ? ', for it is only observed here' : ''
    if (later > 0) yield `${formatNumberOf(later, 'call', 'calls')} went on after it was refused (${code})${how}`
  }
  if (agents.length > 1) yield `agents of different names presented it: ${agents.join(', ')}`
  if (!isProven) yield 'nothing here verified it: what it says of itself is claimed'
}

function toLifeObject({ life, identity, expires, warnings }: ToldLife) {
  const { firstMs, lastMs, leaves, judgements, uses, ...rest } = life
  const span = (each: { firstMs: number; lastMs: number }) => ({
    first: toTime(each.firstMs),
    last: toTime(each.lastMs),
  })
  return {
    ...rest,
    ...span({ firstMs, lastMs }),
    expires: expires ?? null,
    token: identity?.token ?? null,
    user: identity?.user ?? null,
    judgements: judgements.map(({ firstMs, lastMs, ...each }) => ({ ...each, ...span({ firstMs, lastMs }) })),
    uses: uses.map(({ firstMs, lastMs, ...each }) => ({ ...each, ...span({ firstMs, lastMs }) })),
    warnings,
  }
}

function toTime(ms: number): string {
  return new Date(ms).toISOString()
}

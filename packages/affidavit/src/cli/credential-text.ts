import { isAbsent } from '@affidavit/evidence/record/absent'
import type { IdentitySection } from '@affidavit/evidence/record/identity-section'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Terminal } from '@affidavit/sensor/cli/terminal'
import { hang } from '@affidavit/sensor/cli/text-layout'
import type {
  CredentialJudgement,
  CredentialLife,
  CredentialSummary,
  CredentialUse,
} from '../query/sqlite/credential.ts'
import { formatCount, formatNumberOf, formatTime } from './format.ts'
import type { Column } from './table.ts'

/** A life, what its token says, and what does not add up. */
export interface ToldLife {
  life: CredentialLife
  /** The best that is known of it; undefined where no body opens. */
  identity: IdentitySection | undefined
  expires: string | undefined
  warnings: string[]
}

export const credentialColumns: readonly Column<CredentialSummary>[] = [
  { title: 'CREDENTIAL', cell: ({ credential }) => credential, style: () => 'cyan' },
  { title: 'FIRST', cell: ({ firstMs }) => formatTime(firstMs).slice(0, 19), style: () => 'dim', leaves: 1 },
  { title: 'LAST', cell: ({ lastMs }) => formatTime(lastMs).slice(0, 19) },
  { title: 'CALLS', cell: ({ calls }) => formatCount(calls), align: 'right' },
  {
    title: 'REFUSED',
    cell: ({ refusals }) => formatCount(refusals),
    style: ({ refusals }) => (refusals > 0 ? 'yellow' : 'dim'),
    align: 'right',
  },
]

const labelWidth = 12
const columnsDefault = 100

/** One life for a person, in the order in which it went. */
export function* lifeLines({ life, identity, expires, warnings }: ToldLife, terminal: Terminal): Generator<string> {
  const columns = Math.min(columnsDefault, terminal.columns ?? columnsDefault)
  const line = (name: string, text: string) => hang(name.padEnd(labelWidth), toPrintable(text), columns)
  yield terminal.paint('bold', `credential ${life.credential}`)
  for (const each of describeToken(identity)) yield* line(each.name, each.text)
  if (expires !== undefined) yield* line('good until', expires)
  for (const origin of life.exchangedFrom) yield* line('came from', `${origin}, which was exchanged for it`)
  for (const judgement of life.judgements) yield* line(judgement.event, describeJudgement(judgement))
  yield* line('used', describeWhole(life))
  for (const use of life.uses) yield* line('', describeUse(use))
  if (life.agents.length > 0) yield* line('by', life.agents.join(', '))
  for (const warning of warnings) for (const each of line('! look', warning)) yield terminal.paint('yellow', each)
}

function describeWhole({ calls, sessions, streams, firstMs, lastMs }: CredentialLife): string {
  return [
    `for ${formatNumberOf(calls, 'call', 'calls')}`,
    ...(sessions === 0 ? [] : [`in ${formatNumberOf(sessions, 'session', 'sessions')}`]),
    `seen from ${formatTime(firstMs)} to ${formatTime(lastMs)} by ${formatNumberOf(streams, 'capture process', 'capture processes')}`,
  ].join(', ')
}

function* describeToken(identity: ToldLife['identity']): Generator<{ name: string; text: string }> {
  if (identity === undefined) {
    yield { name: 'whom', text: 'its records cannot be opened here' }
    return
  }
  const { token, user } = identity
  if (!isAbsent(user)) yield { name: 'whom', text: `${user.name ?? user.id} (${user.assurance}, ${user.method})` }
  if (isAbsent(token)) return
  const facts: [string, string | undefined][] = [
    ['issuer', token.issuer],
    ['subject', token.subject],
    ['for', token.audience],
    ['client', token.clientId],
    ['token id', token.tokenId],
    ['SHA-256', token.fingerprint === undefined ? undefined : Buffer.from(token.fingerprint, 'base64').toString('hex')],
    ['known by', `${token.method}, ${token.assurance}${token.reason === undefined ? '' : `: ${token.reason}`}`],
  ]
  for (const [name, text] of facts) if (text !== undefined) yield { name, text }
}

function describeJudgement(judgement: CredentialJudgement): string {
  const { event, code, mode, server, times, leaf, firstMs, lastMs, grant, upstream, upstreamExpires } = judgement
  const when = times === 1 ? formatTime(firstMs) : `${times} times, ${formatTime(firstMs)} to ${formatTime(lastMs)}`
  return [
    ...(code === undefined ? [] : [code]),
    ...(mode === 'observe' ? ['only observed'] : []),
    ...(event === 'exchanged'
      ? [`for ${upstream ?? 'one that is not seen here'}${grant === undefined ? '' : ` by ${grant}`}`]
      : []),
    ...(upstreamExpires === undefined ? [] : [`good until ${upstreamExpires}`]),
    ...(server === undefined ? [] : [`at ${server}`]),
    `${when}, leaf:${leaf}`,
  ].join(', ')
}

function describeUse({ server, name, calls, notSuccessful, firstMs, lastMs }: CredentialUse): string {
  const failed = notSuccessful === 0 ? '' : ` (${formatCount(notSuccessful)} without success)`
  const span = calls === 1 ? formatTime(firstMs) : `${formatTime(firstMs)} to ${formatTime(lastMs)}`
  return `${server} ${name ?? 'a tool that was never listed'}: ${formatNumberOf(calls, 'call', 'calls')}${failed}, ${span}`
}

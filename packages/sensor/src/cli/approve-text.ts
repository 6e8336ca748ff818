import type { ApprovalRequest } from '@affidavit/evidence/wire/approval'
import { toPrintable } from './printable.ts'

/** What is asked, for whoever is to answer for it. */
export function formatRequest(request: ApprovalRequest): string {
  const { id, requested, closes, server, method, target, effect, actors, policies, windowSeconds, uses } = request
  const who = actors.map(({ as, id, assurance, issuer }) => {
    const by = issuer === undefined ? '' : ` by ${issuer}`
    return `${as} ${id} (${assurance}${by})`
  })
  const lines: [string, string][] = [
    ['id', id],
    ['call', `${method} ${target.name} on ${server}, effect ${effect}`],
    ['arguments', request.arguments ?? 'not kept'],
    ['asked by', who.length === 0 ? 'nobody who is known' : who.join(', ')],
    ['because', policies.join(', ')],
    ['asked', `${sayTime(requested)}, open until ${sayTime(closes)}`],
    ['lets through', `${uses === 1 ? 'one call' : `${uses} calls`} within ${sayDuration(windowSeconds)}`],
  ]
  return lines.map(([name, text]) => `${name.padEnd(14)}${toPrintable(text)}\n`).join('')
}

/** A line for each request that waits. */
export function formatList(requests: readonly ApprovalRequest[]): string {
  if (requests.length === 0) return 'No call waits for an approval.\n'
  const line = ({ id, requested, server, target, actors }: ApprovalRequest) => {
    const [first] = actors.filter(({ as }) => as === 'user').concat(actors)
    return toPrintable(`${id}  ${sayTime(requested)}  ${target.name} on ${server}  ${first?.id ?? '–'}`)
  }
  return `${requests.map(line).join('\n')}\n`
}

const sayTime = (timestamp: string) => timestamp.slice(0, 19).replace('T', ' ')

function sayDuration(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}

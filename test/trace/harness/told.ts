import { runCommand } from '../../tamper/build-home.ts'

export interface Step {
  type: string
  name: string
  link?: { by: string; assurance: string; text: string }
  facts: { name: string; text: string }[]
  callId?: string
  next: Step[]
}

export interface Told {
  as: string
  id: string
  calls: number
  housekeeping: number
  omitted: number
  steps: Step[]
  breaks: { after?: string; why: string }[]
}

const isTold = (value: unknown): value is Told => typeof value === 'object' && value !== null && 'steps' in value

/** What `affidavit trace --json` says. */
export function trace(home: string, id: string, ...argv: string[]): Told {
  const { code, stdout, stderr } = runCommand(['trace', id, '--json', '--home', home, ...argv])
  const told: unknown = stdout === '' ? undefined : JSON.parse(stdout)
  if (code !== 0 || !isTold(told)) throw new Error(`trace ended with ${code}: ${stderr}`)
  return told
}

/** `type name ← by (assurance)` of every step, indented. */
export function outline(steps: readonly Step[], depth = 0): string[] {
  return steps.flatMap(({ type, name, link, next }) => [
    `${'  '.repeat(depth)}${type} ${name}${link === undefined ? '' : ` ← ${link.by} (${link.assurance})`}`,
    ...outline(next, depth + 1),
  ])
}

export function factOf(steps: readonly Step[], type: string, name: string): string[] {
  return steps.flatMap((step) => [
    ...(step.type === type ? step.facts.filter((fact) => fact.name === name).map((fact) => fact.text) : []),
    ...factOf(step.next, type, name),
  ])
}

import type { Assurance } from '@affidavit/evidence/record/kinds'

/** What joins a step to the one before it, how far that may be believed, and what it rests on. */
export interface StepLink {
  /** One or two words, the same across versions: `subject`, `act`, `client-info`, `request`, `parent-call`, … */
  by: string
  assurance: Assurance
  text: string
}

/** One step on the path from who began it to the data. Texts may hold what strangers chose. */
export interface TraceStep {
  type: 'run' | 'user' | 'actor' | 'workload' | 'agent' | 'call' | 'resource' | 'log-line' | 'break'
  name: string
  /** Absent where nothing is before it, and on breaks. */
  link?: StepLink
  /** `name: text` for people; programs find the same by name. */
  facts: { name: string; text: string }[]
  callId?: string
  next: TraceStep[]
}

/** Where the path does not go on, or could not be followed. */
export function breakStep(why: string): TraceStep {
  return { type: 'break', name: why, facts: [], next: [] }
}

/** Steps one behind the other; the last one leads to `end`. Returns the steps that it begins with. */
export function chain([first, ...rest]: readonly TraceStep[], end: TraceStep[]): TraceStep[] {
  return first === undefined ? end : [{ ...first, next: [...first.next, ...chain(rest, end)] }]
}

/** Every break below, in reading order, with the step it follows. */
export function* listBreaks(steps: readonly TraceStep[], after?: string): Generator<{ after?: string; why: string }> {
  for (const { type, name, next } of steps) {
    if (type === 'break') yield { ...(after === undefined ? {} : { after }), why: name }
    yield* listBreaks(next, type === 'break' ? after : name)
  }
}

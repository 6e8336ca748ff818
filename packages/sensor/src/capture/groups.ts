import { createHash } from 'node:crypto'
import type { Uuid } from '@affidavit/evidence/record/header'
import { type ScannedMessage, textOf } from './message.ts'
import { taskIdOf } from './outcome.ts'

const joinsMax = 10_000

/**
 * Joins the exchanges of one call: a task by its id, rounds of input_required by requestState. The group's id is the
 * callId of the exchange that opened it, so nothing has to be known when that one is written. Only hashes are kept, in
 * memory; the oldest is forgotten first.
 */
export class CallGroups {
  readonly #groupOf = new Map<string, Uuid>()

  /** The group a request belongs to, where one of its ids was seen in an earlier result. */
  find(request: ScannedMessage): Uuid | undefined {
    for (const key of joinKeys(request, 'params')) {
      const group = this.#groupOf.get(key)
      if (group !== undefined) return group
    }
    return undefined
  }

  /** Remembers what a `continued` result gave the client to come back with. */
  remember(response: ScannedMessage, group: Uuid): void {
    for (const key of joinKeys(response, 'result')) {
      this.#groupOf.delete(key)
      this.#groupOf.set(key, group)
    }
    for (const oldest of this.#groupOf.keys()) {
      if (this.#groupOf.size <= joinsMax) break
      this.#groupOf.delete(oldest)
    }
  }
}

function joinKeys(message: ScannedMessage, where: 'params' | 'result'): string[] {
  const task = taskIdOf(message)
  const state = textOf(message.spans.get(`${where}.requestState`))
  return [
    ...(task === undefined ? [] : [hashOf('task', task)]),
    ...(state === undefined ? [] : [hashOf('state', state)]),
  ]
}

function hashOf(domain: string, value: string): string {
  return createHash('sha256').update(`${domain}\n`).update(value).digest('base64')
}

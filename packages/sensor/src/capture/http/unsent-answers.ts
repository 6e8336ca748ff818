import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Places } from './places.ts'

/**
 * What was let go to clients and has not left this process. By connection, because Node does not tell answers that wait their
 * turn on one (RFC 9112 §9.3.2) when it ends.
 */
export class UnsentAnswers {
  readonly #answers = new Map<Socket, Places<ServerResponse>>()

  watch(socket: Socket, response: ServerResponse): void {
    let answers = this.#answers.get(socket)
    if (answers === undefined) {
      answers = new Places()
      this.#answers.set(socket, answers)
      socket.once('close', () => this.#answers.delete(socket))
    }
    const place = answers.take(response)
    response.once('close', () => answers.leave(place))
  }

  some(): boolean {
    return [...this.#answers.values()].some((answers) => answers.taken().some(isUnsent))
  }
}

/** A stream that stays open has nothing to send most of the time. */
function isUnsent({ writableEnded, writableFinished, writableLength }: ServerResponse): boolean {
  return writableEnded ? !writableFinished : writableLength > 0
}

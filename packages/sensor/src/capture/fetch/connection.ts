import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import type { Connection } from '@affidavit/evidence/record/environment-section'
import { connectionOf } from '../http/network.ts'

/**
 * fetch does not say which connection it takes. Node's does on the side: it publishes every request when it is made, where
 * the caller is still known, and again with the socket when it is sent.
 */
interface Noted {
  network?: Connection[]
}

const asking = new AsyncLocalStorage<Noted>()
const asked = new WeakMap<object, Noted>()
const answered = new WeakMap<Response, Connection[]>()
const watched = new Set<string>()

/** From now on the connections of Node's fetch, and of undici, are known; asked again, it changes nothing. */
export function watchFetch(): void {
  watch('undici:request:create', ({ request }) => {
    const noted = asking.getStore()
    if (noted !== undefined && isObject(request)) asked.set(request, noted)
  })
  watch('undici:client:sendHeaders', ({ request, socket }) => {
    const noted = isObject(request) ? asked.get(request) : undefined
    if (noted === undefined || !(socket instanceof Socket)) return
    const network = connectionOf(socket, 'server')
    if (Array.isArray(network)) noted.network = network
  })
}

/** Sends as `send` does, and notes for `answerConnection` what was published meanwhile. */
export async function sendNoting(send: () => Promise<Response>): Promise<Response> {
  const noted: Noted = {}
  const response = await asking.run(noted, send)
  if (noted.network !== undefined) answered.set(response, noted.network)
  return response
}

/** The connection that an answer came over, where it is known: of other kinds of fetch it is not. */
export function answerConnection(response: Response): { network?: Connection[] } {
  const network = answered.get(response)
  return network === undefined ? {} : { network }
}

function watch(name: string, take: (message: Record<string, unknown>) => void): void {
  if (watched.has(name)) return
  watched.add(name)
  subscribe(name, (message) => {
    if (isObject(message)) take({ ...message })
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

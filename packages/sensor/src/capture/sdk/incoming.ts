import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import type { Absent } from '@affidavit/evidence/record/absent'
import type { Connection } from '@affidavit/evidence/record/environment-section'
import { connectionOf } from '../http/network.ts'

/**
 * The SDKs tell a server nothing of the connection a request came on. Node does: it publishes every request that a server
 * of node:http takes, before it is handed on, and what is noted then is found by whatever serves the request.
 */
const serving = new AsyncLocalStorage<Socket>()
const watched = new Set<string>()
const started = 'http.server.request.start'

/** From now on the connections of this process's HTTP servers are known; asked again, it changes nothing. */
export function watchConnections(): void {
  if (watched.has(started)) return
  watched.add(started)
  subscribe(started, (message) => {
    const socket = socketOf(message)
    if (socket !== undefined) serving.enterWith(socket)
  })
}

/** Of the HTTP request that is served here; absent, with what to say, where it came by other ways. */
export function servedConnection(otherwise: Absent): Connection[] | Absent {
  const socket = serving.getStore()
  return socket === undefined ? otherwise : connectionOf(socket, 'client')
}

function socketOf(message: unknown): Socket | undefined {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return undefined
  return message.socket instanceof Socket ? message.socket : undefined
}

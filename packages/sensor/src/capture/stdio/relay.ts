import type { Readable, Writable } from 'node:stream'
import type { Capture } from '../capture.ts'
import { createFramer, type LineBody } from './frame.ts'
import { openHeldLine } from './held-line.ts'
import { Lane } from './lane.ts'
import { type Outlet, writeAll } from './outlet.ts'
import { drain, openSink } from './pipe.ts'
import { openStreamedLine } from './streamed-line.ts'

/** The four ends between a client and the server it started through us. */
export interface Ends {
  fromClient: Readable
  toClient: Writable
  fromServer: Readable
  toServer: Writable
  /** Stops reading from the client for good and lets it see a broken pipe. */
  breakClient(): void
}

export interface Relay {
  /** The client has closed its side and everything it sent is with the server, whose input is closed now. */
  clientDone: Promise<void>
  /** The server has closed its output and everything it sent has been judged and let go. */
  serverDone: Promise<void>
  /** Everything for the client has left this process, or the client is gone. */
  close(): Promise<void>
}

const laneLimits = { bytesMax: 8 * 1024 * 1024, itemsMax: 4096 }

/**
 * Relays bytes both ways and lets `capture` see a copy of every line first. Each direction is strictly first in, first
 * out, and waits for nothing but the durability of its own records and its receiver.
 */
export function startRelay(ends: Ends, capture: Capture, onFault: (fault: unknown) => void): Relay {
  const toServerLane = new Lane(laneLimits, onFault)
  const toClientLane = new Lane(laneLimits, onFault)
  // A receiver that is gone makes its sender see the same: its pipe breaks, as it would without us in between.
  const serverSink = openSink(ends.toServer, () => ends.breakClient())
  const clientSink = openSink(ends.toClient, () => ends.breakClient())

  const toServer: Outlet = {
    direction: 'client-to-server',
    capture,
    lane: toServerLane,
    sink: serverSink,
    reply: (bytes) => toClientLane.push(bytes.length, () => writeAll(clientSink, bytes)),
  }
  const toClient: Outlet = {
    direction: 'server-to-client',
    capture,
    lane: toClientLane,
    sink: clientSink,
    reply: (bytes) => toServerLane.push(bytes.length, () => writeAll(serverSink, bytes)),
  }
  const clientDone = pump(ends.fromClient, toServer, openHeldLine).finally(() => serverSink.end())
  const serverDone = pump(ends.fromServer, toClient, openStreamedLine)
  return { clientDone, serverDone, close: () => toClientLane.idle().then(() => clientSink.end()) }
}

async function pump(from: Readable, outlet: Outlet, openLine: (outlet: Outlet) => LineBody): Promise<void> {
  const framer = createFramer(() => openLine(outlet))
  await drain(from, (chunk) => framer.take(chunk) ?? outlet.lane.room())
  await framer.end()
  await outlet.lane.idle()
}

import type { Readable, Writable } from 'node:stream'
import type { Capture } from '../capture.ts'
import { drain } from '../drain.ts'
import { Lane } from '../lane.ts'
import type { RequestOrigin } from '../origin.ts'
import { gatherWrites, openSink, type Sink, writeAll } from '../sink.ts'
import { createFramer, type Framer } from './frame.ts'
import { openHeldLine } from './held-line.ts'
import type { Outlet } from './outlet.ts'
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
  /** Every line read from the client so far has been judged, and has gone on or found the server gone. */
  clientSettled(): Promise<void>
  /** Everything for the client has left this process, or the client is gone. Nothing is written to it any more. */
  close(): Promise<void>
}

const replyBytesMax = 1024 * 1024
const laneLimits = { bytesMax: 8 * 1024 * 1024, itemsMax: 4096 }

/**
 * Relays bytes both ways and lets `capture` see a copy of every line first. Each direction is strictly first in, first
 * out, and waits for nothing but the durability of its own records and its receiver.
 */
export function startRelay(
  ends: Ends,
  capture: Capture,
  origin: RequestOrigin,
  onFault: (fault: unknown) => void,
): Relay {
  const toServerLane = new Lane(laneLimits, onFault)
  const toClientLane = new Lane(laneLimits, onFault)
  // A receiver that is gone makes its sender see the same: its pipe breaks, as it would without us in between. The other
  // direction goes on: a client that reads no more may still call.
  const serverSink = openSink(ends.toServer, () => ends.breakClient(), gatherWrites(ends.toServer))
  const clientSink = openSink(ends.toClient, () => ends.fromServer.destroy(), gatherWrites(ends.toClient))

  const toServerReplies = countReplies(toServerLane, serverSink)
  const toClientReplies = countReplies(toClientLane, clientSink)
  const toServer: Outlet = {
    direction: 'client-to-server',
    capture,
    origin,
    lane: toServerLane,
    sink: serverSink,
    reply: toClientReplies.push,
  }
  const toClient: Outlet = {
    direction: 'server-to-client',
    capture,
    origin,
    lane: toClientLane,
    sink: clientSink,
    reply: toServerReplies.push,
  }
  const fromClient = pump(
    ends.fromClient,
    createFramer(() => openHeldLine(toServer)),
    () => toServerLane.room() ?? toClientReplies.room(),
  )
  const fromServer = pump(
    ends.fromServer,
    createFramer(() => openStreamedLine(toClient)),
    () => toClientLane.room() ?? toServerReplies.room(),
  )
  const clientDone = fromClient.then(() => toServerLane.idle()).finally(() => serverSink.end())
  const serverDone = fromServer.then(() => toClientLane.idle())
  return {
    clientDone,
    serverDone,
    clientSettled: () => toServerLane.idle(),
    close: () => toClientLane.idle().then(() => clientSink.end()),
  }
}

async function pump(from: Readable, framer: Framer, room: () => Promise<void> | undefined): Promise<void> {
  await drain(from, (chunk) => framer.take(chunk) ?? room())
  await framer.end()
}

/**
 * Our own answers to refused requests. Who sends requests and does not read the answers is not read either, once there is
 * a megabyte of them; results that nobody reads hold up nothing but themselves.
 */
function countReplies(lane: Lane, sink: Sink) {
  let waitingBytes = 0
  return {
    push(bytes: Uint8Array): void {
      waitingBytes += bytes.length
      lane.push(bytes.length, async () => {
        await writeAll(sink, bytes)
        waitingBytes -= bytes.length
      })
    },
    room: () => (waitingBytes > replyBytesMax ? lane.idle() : undefined),
  }
}

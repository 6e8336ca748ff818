import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createInlet, type Head, type Inlet, type Message, readRequest, readResponse } from './message.ts'

/** The server's end of one connection while a request is being answered. */
export interface Wire {
  /** Resolves when the bytes are handed to the kernel. */
  write(bytes: string | Uint8Array): Promise<void>
  /** Ends the connection at once, in the middle of whatever is being written. */
  cut(): void
  /** Ends the connection after what was written. */
  finish(): void
  /** Resolves when the other side is gone. */
  gone: Promise<void>
}
/** Answers one request, by bytes. */
export type Script = (wire: Wire, request: Message) => Promise<void>

async function writeTo(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  if (socket.destroyed) return
  const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  await new Promise<void>((resolve) => socket.write(raw, () => resolve()))
}

export interface ScriptedServer {
  port: number
  /** Sets the scripts for the requests to come, one each, and who is told of their heads; forgets what was seen. */
  expect(scripts: Script[], onHead: (head: Head, wire: Wire) => void): void
  /** The requests that arrived since, in order. */
  requests(): Message[]
  stop(): Promise<void>
}

/** A server that answers the nth request with the nth script; requests beyond them are seen and not answered. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  let scripts: Script[] = []
  let seen: Message[] = []
  let listener: (head: Head, wire: Wire) => void = () => undefined
  const answer = async (socket: Socket) => {
    const inlet = createInlet(socket)
    const wire: Wire = {
      write: (bytes) => writeTo(socket, bytes),
      cut: () => socket.destroy(),
      finish: () => socket.end(),
      gone: inlet.closed,
    }
    for (;;) {
      const request = await readRequest(inlet, (head) => listener(head, wire))
      if (request === undefined) return
      seen.push(request)
      await scripts[seen.length - 1]?.(wire, request)
    }
  }
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    answer(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    expect(next, onHead) {
      scripts = next
      seen = []
      listener = onHead
    },
    requests: () => seen,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** One connection of a client that says exactly what it is told to. */
export interface RawClient {
  /** What the server is asked for, to put into request lines. */
  target: string
  send(bytes: string | Uint8Array): Promise<void>
  /** The next response, to a request of this method. */
  read(method?: string): Promise<Message>
  waitFor: Inlet['waitFor']
  /** Says goodbye without waiting for anything. */
  drop(): void
}

/** Opens a connection to the URL's host; its path is the target. */
export async function openClient(url: string): Promise<RawClient> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const inlet = createInlet(socket)
  return {
    target: pathname,
    send: (bytes) => writeTo(socket, bytes),
    read: (method = 'POST') => readResponse(inlet, method),
    waitFor: inlet.waitFor,
    drop: () => socket.destroy(),
  }
}

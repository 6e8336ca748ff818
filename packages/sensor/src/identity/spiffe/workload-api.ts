import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { WireError } from '../protobuf.ts'
import { pauseAfter } from './pause.ts'

/**
 * The SPIFFE Workload API over its socket. Whoever owns the socket says who we are; it says so to this process, which it
 * knows by what the kernel tells of the peer.
 */
export interface WorkloadApi {
  /** Follows a stream, and opens it again whenever it ends, until it is closed. */
  follow<M>(call: StreamCall<M>, on: { message(message: M): void; failed(failure: WorkloadFailure): void }): () => void
  /** Throws WorkloadApiError. */
  ask<M>(call: UnaryCall<M>): Promise<M>
  close(): void
}

export interface StreamCall<M> {
  method: 'FetchX509SVID'
  parse: (bytes: Uint8Array) => M
}

export interface UnaryCall<M> {
  method: 'FetchJWTSVID'
  request: Uint8Array
  parse: (bytes: Uint8Array) => M
}

/** `denied`: this process has no identity. `unreachable`: nobody answers, or the stream was cut. */
export type WorkloadFailure = 'denied' | 'unreachable' | 'refused' | 'malformed'

export class WorkloadApiError extends Error {
  override readonly name = 'WorkloadApiError'
  readonly code: WorkloadFailure
  readonly retry = true

  constructor(code: WorkloadFailure) {
    super(`the Workload API: ${code}`)
    this.code = code
  }
}

type Grpc = typeof import('@grpc/grpc-js')

export interface WorkloadApiOptions {
  grpc: Grpc
  /** `unix:///…` or `tcp://ADDRESS:PORT`. */
  socket: string
  firstPauseMs?: number
}

const askTimeoutMs = 10_000
const messageBytesMax = 4 * 1024 * 1024
const firstPauseMsDefault = 1000

/** SPIFFE Workload Endpoint §4: a path without authority, or an address and a port. */
export function isEndpointSocket(text: string): boolean {
  return /^unix:(\/\/)?\/[^?#]+$/.test(text) || /^tcp:\/\/(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\]):\d{1,5}$/i.test(text)
}

export function openWorkloadApi({ grpc, socket, firstPauseMs = firstPauseMsDefault }: WorkloadApiOptions): WorkloadApi {
  const client = new grpc.Client(toTarget(socket), grpc.credentials.createInsecure(), {
    // Neither a proxy of the environment nor a name of TLS has a part in this.
    'grpc.enable_http_proxy': 0,
    'grpc.default_authority': 'localhost',
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.initial_reconnect_backoff_ms': firstPauseMs,
    'grpc.max_reconnect_backoff_ms': firstPauseMs,
  })
  // SPIFFE Workload Endpoint §5: so that no browser can be made to ask.
  const metadata = new grpc.Metadata()
  metadata.set('workload.spiffe.io', 'true')
  const open = { grpc, client, metadata }
  const closers = new Set<() => void>()
  return {
    follow(call, on) {
      const close = followStream(open, call, { ...on, firstPauseMs })
      closers.add(close)
      return close
    },
    ask: (call) => askOnce(open, call),
    close() {
      for (const close of closers) close()
      client.close()
    },
  }
}

function toTarget(socket: string): string {
  const [, address] = /^tcp:\/\/(.*)$/.exec(socket) ?? []
  if (address !== undefined) return `${address.startsWith('[') ? 'ipv6' : 'ipv4'}:${address}`
  return `unix:${socket.replace(/^unix:(\/\/)?/, '')}`
}

interface Open {
  grpc: Grpc
  client: Client
  metadata: Metadata
}

const pathOf = (method: string) => `/SpiffeWorkloadAPI/${method}`
const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes)
const asBytes = (bytes: Buffer) => bytes

function followStream<M>(
  { grpc, client, metadata }: Open,
  { method, parse }: StreamCall<M>,
  on: { message(message: M): void; failed(failure: WorkloadFailure): void; firstPauseMs: number },
): () => void {
  let timer: NodeJS.Timeout | undefined
  let cancel: () => void = () => undefined
  let failures = 0
  let isClosed = false
  const begin = () => {
    const stream = client.makeServerStreamRequest(pathOf(method), asBuffer, asBytes, new Uint8Array(0), metadata)
    cancel = () => stream.cancel()
    let isOver = false
    const again = (failure: WorkloadFailure) => {
      if (isOver || isClosed) return
      isOver = true
      stream.cancel()
      on.failed(failure)
      timer = setTimeout(begin, pauseAfter(failures++, on.firstPauseMs)).unref()
    }
    stream.on('data', (bytes: Buffer) => {
      if (isOver || isClosed) return
      const message = orMalformed(() => parse(bytes))
      if (message === malformed) {
        again('malformed')
        return
      }
      failures = 0
      on.message(message)
    })
    stream.on('error', (error: ServiceError) => again(failureOf(grpc, error)))
    stream.on('end', () => again('unreachable'))
  }
  begin()
  return () => {
    isClosed = true
    clearTimeout(timer)
    cancel()
  }
}

function askOnce<M>({ grpc, client, metadata }: Open, { method, request, parse }: UnaryCall<M>): Promise<M> {
  const options = { deadline: Date.now() + askTimeoutMs }
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(pathOf(method), asBuffer, asBytes, request, metadata, options, (error, bytes) => {
      if (error !== null || bytes === undefined) {
        reject(new WorkloadApiError(error === null ? 'malformed' : failureOf(grpc, error)))
        return
      }
      const message = orMalformed(() => parse(bytes))
      if (message === malformed) reject(new WorkloadApiError('malformed'))
      else resolve(message)
    })
  })
}

const malformed = Symbol('malformed')

function orMalformed<M>(parse: () => M): M | typeof malformed {
  try {
    return parse()
  } catch (error) {
    // Text that is not UTF-8 is a TypeError.
    if (error instanceof WireError || error instanceof TypeError) return malformed
    throw error
  }
}

/** SPIFFE Workload Endpoint §6. */
function failureOf({ status }: Grpc, { code }: ServiceError): WorkloadFailure {
  if (code === status.PERMISSION_DENIED) return 'denied'
  const isRefused = code === status.INVALID_ARGUMENT || code === status.UNIMPLEMENTED || code === status.UNAUTHENTICATED
  return isRefused ? 'refused' : 'unreachable'
}

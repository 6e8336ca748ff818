import { createHash } from 'node:crypto'
import type { Head, Headers, Message } from './message.ts'
import { openClient, type RawClient, type Script, type ScriptedServer, type Wire } from './peers.ts'

export interface Case {
  name: string
  /** Called anew for every way. */
  begin(): Play
}
export interface Play {
  /** What the server does with the requests that reach it, in order. */
  scripts: Script[]
  /** What the client does, on as many connections as it opens; returns the responses it read. */
  talk(open: () => Promise<RawClient>): Promise<Message[]>
  /** What server and client noticed besides messages. */
  remarks?: string[]
  /** Whether the requests come in no order that could be compared; then they are sorted by their bodies. */
  isUnordered?: true
  /** Told of every head that reaches the server, before the body does. */
  onHead?: (head: Head, wire: Wire) => void
}

/** What both ends saw, in a form that can be compared. */
export interface Seen {
  requests: Told[]
  responses: Told[]
  remarks: string[]
}
interface Told extends Omit<Message, 'body'> {
  body: string
}

/**
 * Hop by hop (RFC 9110 §7.6.1): they speak of one connection and not of the message. The framing that one of them
 * chooses is compared by itself.
 */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'http2-settings'])
const endToEnd = (headers: Headers): Headers => headers.filter(([name]) => !hopByHop.has(name.toLowerCase()))

/** Bytes that a report can show; many bytes by their hash. */
const show = (bytes: Buffer) =>
  bytes.length > 20_000
    ? `${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`
    : bytes.toString('latin1')

const tellHead = ({ start, headers }: Head): Head => ({ start, headers: endToEnd(headers) })
const tell = (message: Message): Told => ({
  ...message,
  ...tellHead(message),
  interim: message.interim.map(tellHead),
  body: show(message.body),
})

const limitMs = 15_000

/** Plays the case at the URL, behind which the server stands, whatever lies between. */
export async function play(one: Case, url: string, server: ScriptedServer): Promise<Seen> {
  const { scripts, talk, remarks = [], onHead = () => undefined, isUnordered } = one.begin()
  const clients: RawClient[] = []
  const open = async () => {
    const client = await openClient(url)
    clients.push(client)
    return client
  }
  server.expect(scripts, onHead)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const counts = `${server.requests().length} of ${scripts.length} requests arrived`
      reject(new Error(`${url}: not done within ${limitMs} ms: ${counts}`))
    }, limitMs)
  })
  try {
    const responses = await Promise.race([talk(open), late])
    const requests = server.requests().map(tell)
    if (isUnordered) requests.sort((a, b) => (a.body < b.body ? -1 : 1))
    return { requests, responses: responses.map(tell), remarks }
  } finally {
    clearTimeout(timer)
    for (const client of clients) client.drop()
  }
}

import { constants, gzipSync } from 'node:zlib'
import { createMoment, type Headers, type Message, pause } from '../harness/message.ts'
import type { Script, Wire } from '../harness/peers.ts'
import type { Case, Play } from '../harness/ways.ts'
import { answer, call, head, host, result, toBytes, toRequest, usual } from './exchange.ts'

/** What happens while a stream is open: progress, goodbyes, cuts. */

const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}'
const question = '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}'
const eventStream: Headers = [['Content-Type', 'text/event-stream']]
const opening = head('HTTP/1.1 200 OK', [...eventStream, ['Transfer-Encoding', 'chunked']])
const chunk = (data: string | Uint8Array) => {
  const bytes = toBytes(data)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}
const event = (message: string, id: string) => chunk(`id: ${id}\ndata: ${message}\n\n`)
const ending = '0\r\n\r\n'

const post = { body: call('{}') }
const modern = {
  headers: [
    host,
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json, text/event-stream'],
    ['MCP-Protocol-Version', '2026-07-28'],
    ['Mcp-Method', 'tools/call'],
    ['Mcp-Name', 'echo'],
  ] satisfies Headers,
  body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},"_meta":{${[
    '"io.modelcontextprotocol/protocolVersion":"2026-07-28"',
    '"io.modelcontextprotocol/clientCapabilities":{}',
  ].join(',')}}}}`,
}
const get = (lastEventId?: string) => ({
  method: 'GET',
  headers: [
    host,
    ['Accept', 'text/event-stream'],
    ['Mcp-Session-Id', 's-1'],
    ...(lastEventId === undefined ? [] : [['Last-Event-ID', lastEventId] satisfies Headers[number]]),
  ] satisfies Headers,
})

const begin = (name: string, make: (remarks: string[]) => Omit<Play, 'remarks'>): Case => ({
  name,
  begin() {
    const remarks: string[] = []
    return { ...make(remarks), remarks }
  },
})

const streamWith =
  (...events: Uint8Array[]): Script =>
  async (wire) => {
    await wire.write(opening)
    await wire.write(Buffer.concat([...events, Buffer.from(ending)]))
  }

/** A piece of a stream, and the bytes by which the client knows that it has it. */
interface Step {
  data: string | Uint8Array
  mark: string | Uint8Array
}
const steps = (...messages: string[]): Step[] => [
  { data: '', mark: 'HTTP/1.1 200 OK' },
  ...messages.map((message, place) => ({ data: `id: e${place}\ndata: ${message}\n\n`, mark: `id: e${place}\n` })),
]

/** The server goes on only when the client has what it wrote: whoever holds events back never comes to an end. */
const inStep = (
  name: string,
  words: Parameters<typeof toRequest>[1],
  stepsTaken: Step[],
  headers = eventStream,
): Case =>
  begin(name, () => {
    const taken = stepsTaken.map((step) => ({ ...step, arrived: createMoment() }))
    return {
      scripts: [
        async (wire) => {
          await wire.write(head('HTTP/1.1 200 OK', [...headers, ['Transfer-Encoding', 'chunked']]))
          for (const { data, arrived } of taken) {
            if (data.length > 0) await wire.write(chunk(data))
            await arrived.hasCome
          }
          await wire.write(ending)
        },
      ],
      async talk(open) {
        const client = await open()
        await client.send(toRequest(client.target, words))
        for (const { mark, arrived } of taken) {
          await client.waitFor(mark)
          arrived.come()
        }
        return [await client.read(words.method)]
      },
    }
  })

/** Events that an encoder lets go one by one. */
function inGzip(...messages: string[]): Step[] {
  const ends = messages.map((_, count) =>
    messages
      .slice(0, count + 1)
      .map((message) => `data: ${message}\n\n`)
      .join(''),
  )
  const encoded = ends.map((text) => gzipSync(text, { finishFlush: constants.Z_SYNC_FLUSH }))
  return encoded.map((bytes, place) => {
    const data = bytes.subarray(encoded[place - 1]?.length ?? 0)
    return { data, mark: data.subarray(-8) }
  })
}

export const stepCases: Case[] = [
  inStep('POST: every event before the next is written', post, steps(progress, question, progress, result('{}'))),
  inStep('POST: the result before the stream ends', post, steps(result('{}'), progress)),
  inStep('GET: every event before the next is written', get(), steps(progress, question, progress)),
  inStep('a type with parameters', post, steps(progress, result('{}')), [
    ['content-type', 'Text/Event-Stream; charset=utf-8'],
  ]),
  inStep('comments that keep a stream alive', get(), [
    { data: ': one\n', mark: ': one' },
    { data: '\n: two\n\n', mark: ': two' },
  ]),
  inStep('encoded events', post, inGzip(progress, question, result('{}')), [
    ...eventStream,
    ['Content-Encoding', 'gzip'],
  ]),
]

/** The client leaves when it has the text (nothing: when the server has the request); the server says what it notices. */
function leaving(words: Parameters<typeof toRequest>[1], written: Buffer, then: Play['scripts'] = []) {
  return (remarks: string[]): Omit<Play, 'remarks'> => {
    const mark = 'e1\n'
    const asked = createMoment()
    const noticed = createMoment()
    const script: Script = async (wire: Wire) => {
      asked.come()
      if (written.length > 0) await wire.write(Buffer.concat([opening, written]))
      await wire.gone
      remarks.push('the server saw its client go')
      noticed.come()
    }
    return {
      scripts: [script, ...then],
      async talk(open) {
        const client = await open()
        await client.send(toRequest(client.target, words))
        await asked.hasCome
        if (written.length > 0) await client.waitFor(mark)
        client.drop()
        await noticed.hasCome
        // Long enough for whatever somebody might send in its place.
        await pause(300)
        if (then.length === 0) return []
        const second = await open()
        await second.send(toRequest(second.target, get('e1')))
        return [await second.read('GET')]
      },
    }
  }
}

const found = streamWith(event(progress, 'e2'), event(result('{"found":true}'), 'e3'))

const unanswered = Buffer.alloc(0)
const long = `"${'m'.repeat(3_000_000)}`

export const leavingCases: Case[] = [
  begin('a client leaves within a long event', leaving(post, chunk(`: e1\ndata: ${result(long)}`))),
  begin('a modern client leaves its stream', leaving(modern, event(progress, 'e1'))),
  begin('a modern client leaves before there is an answer', leaving(modern, unanswered)),
  begin('a client leaves its GET stream', leaving(get(), event(progress, 'e1'))),
  begin('a legacy client leaves its stream and comes back', leaving(post, event(progress, 'e1'), [found])),
  begin('a legacy client leaves before there is an answer and comes back', leaving(post, unanswered, [found])),
]

/** The server cuts its stream so long after these bytes; the client comes back for the rest. */
const cutting = (name: string, parts: Uint8Array[], afterMs = 50): Case =>
  begin(name, () => ({
    scripts: [
      async (wire) => {
        await wire.write(Buffer.concat([opening, ...parts]))
        if (afterMs > 0) await pause(afterMs)
        wire.cut()
      },
      found,
    ],
    async talk(open) {
      const client = await open()
      await client.send(toRequest(client.target, post))
      const first = await client.read()
      const second = await open()
      await second.send(toRequest(second.target, get('e1')))
      return [first, await second.read('GET')]
    },
  }))

/** Of an answer that is whole or nothing, the client learns that it never came whole; how much of it came is not compared. */
const halfAnswers: [name: string, bytes: Buffer][] = [
  ['a body shorter than its length', answer(result('{"a":"half"}')).subarray(0, -12)],
  [
    'chunks without an end',
    Buffer.concat([head('HTTP/1.1 200 OK', [['Transfer-Encoding', 'chunked']]), chunk(result('{}'))]),
  ],
  [
    'a head without a body',
    head('HTTP/1.1 200 OK', [
      ['Content-Type', 'application/json'],
      ['Content-Length', '50'],
    ]),
  ],
]

const half = ([name, bytes]: [string, Buffer]): Case =>
  begin(name, (remarks) => ({
    scripts: [
      async (wire) => {
        await wire.write(bytes)
        await pause(50)
        wire.cut()
      },
    ],
    async talk(open) {
      const client = await open()
      await client.send(toRequest(client.target, { ...post, headers: usual }))
      const { start, ended }: Message = await client.read()
      remarks.push(start.includes(' 200 ') && ended === 'complete' ? 'taken for whole' : 'not taken for whole')
      return []
    },
  }))

const first = event(progress, 'e1')
export const cutCases: Case[] = [
  cutting('a stream cut between events', [first]),
  cutting('a stream cut at once after its result', [first, event(result('{}'), 'e2')], 0),
  cutting('a stream cut within an event', [first, chunk('id: e2\nda')]),
  cutting('a stream cut within a message', [first, chunk(`id: e2\ndata: ${result('{}').slice(0, 20)}`)]),
  cutting('a stream cut before a blank line', [first, chunk(`id: e2\ndata: ${result('{}')}\n`)]),
  cutting('a stream cut within a long message', [first, chunk(`data: ${result(long)}`)]),
  ...halfAnswers.map(half),
]

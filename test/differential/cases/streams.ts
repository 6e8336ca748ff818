import { gzipSync } from 'node:zlib'
import type { Headers } from '../harness/message.ts'
import { answer, answerInChunks, call, type Exchange, result } from './exchange.ts'

const stream: Headers = [['Content-Type', 'text/event-stream']]
const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}'
const request = '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}'

const events: [name: string, body: string | Buffer][] = [
  ['LF', `data: ${progress}\n\ndata: ${result('{}')}\n\n`],
  ['CR LF', `data: ${progress}\r\n\r\ndata: ${result('{}')}\r\n\r\n`],
  ['CR', `data: ${progress}\r\rdata: ${result('{}')}\r\r`],
  ['line ends of every kind in turn', `data: ${progress}\n\r\ndata: ${result('{}')}\r\n\n`],
  ['comments', `: hello\n\n:\ndata: ${result('{}')}\n: within\n\n: behind\n\n`],
  ['data of several lines', `data: {"jsonrpc":"2.0",\ndata: "id":1,\ndata:  "result":{}}\n\n`],
  ['ids, names and retry', `id: 0\nretry: 100\ndata:\n\nevent: message\nid: 1\ndata:${result('{}')}\n\n`],
  ['fields nobody knows', `foo: bar\nnovalue\ndata: ${result('{}')}\nDATA: x\n\n`],
  ['a byte order mark', `\ufeffdata: ${result('{}')}\n\n`],
  ['no blank line at the end', `data: ${progress}\n\ndata: ${result('{}')}\n`],
  ['no line end at the end', `data: ${progress}\n\ndata: ${result('{}')}`],
  ['an empty stream', ''],
  ['events without JSON', 'data: hello\n\ndata: [1,\n\ndata\n\n'],
  ['a request of the server', `data: ${request}\n\ndata: ${result('{}')}\n\n`],
  ['two results', `data: ${result('{}')}\n\ndata: ${result('{"again":true}')}\n\n`],
  ['a result for nobody', `data: ${result('{}', '99')}\n\ndata: ${result('{}')}\n\n`],
  ['another event type', `event: ping\ndata: 1\n\nevent: error\ndata: ${result('{}')}\n\n`],
  [
    'invalid UTF-8',
    Buffer.concat([Buffer.from('data: '), Buffer.from([0xff, 0xc3]), Buffer.from(`\n\ndata: ${result('{}')}\n\n`)]),
  ],
  ['big numbers and escapes', `data: ${result('{"n":9007199254740993,"s":"\\u00fc\\ud800","d":1,"d":2}')}\n\n`],
  ['many events', `${`data: ${progress}\n\n`.repeat(2_000)}data: ${result('{}')}\n\n`],
  [
    'a result in 200,000 lines',
    `data: {"jsonrpc":"2.0","id":1,"result":\ndata: {\n${'data: \n'.repeat(200_000)}data: }}\n\n`,
  ],
]

const large = 'm'.repeat(12 * 1024 * 1024)

/** More than ten megabytes in other forms than one text with its length. */
export const largeForms: Exchange[] = [
  {
    name: 'a request of 12 MB in chunks',
    body: call(`"${large}"`),
    chunks: { sizes: [1, 70_000] },
    response: answer('{}'),
  },
  {
    name: 'a result of 12 MB in chunks',
    body: call('{}'),
    response: answerInChunks(result(`"${large}"`), [['Content-Type', 'application/json']], [1, 70_000]),
  },
  {
    name: 'a result of 12 MB in gzip',
    body: call('{}'),
    response: answer(gzipSync(result(`"${large}"`)), [['Content-Encoding', 'gzip']]),
  },
  {
    name: 'an event of 12 MB',
    body: call('{}'),
    response: answerInChunks(`data: ${result(`"${large}"`)}\n\n`, stream, [1, 70_000]),
  },
  {
    name: 'an event of 12 MB without its blank line',
    body: call('{}'),
    response: answerInChunks(`data: ${result(`"${large}"`)}\n`, stream, [1, 70_000]),
  },
  {
    name: 'an answer of 12 MB that is no JSON',
    body: call('{}'),
    response: answer(large, [['Content-Type', 'text/plain']], '500 Oops'),
  },
]

/** Streams in one piece, in pieces that cut through everything, and encoded. */
export const streamBodies: Exchange[] = [
  ...events.map(([name, body]) => ({ name, body: call('{}'), response: answerInChunks(body, stream, [3, 1, 8, 50]) })),
  {
    name: 'a length in place of chunks',
    body: call('{}'),
    response: answer(`data: ${progress}\n\ndata: ${result('{}')}\n\n`, stream),
  },
  {
    name: 'every byte a chunk of its own',
    body: call('{}'),
    response: answerInChunks(
      `id: 1\r\ndata: ${progress}\r\n\r\ndata: ${result('{}')}\r\n\r\n`,
      stream,
      Array(400).fill(1),
    ),
  },
  {
    name: 'gzip',
    body: call('{}'),
    response: answerInChunks(gzipSync(`data: ${result('{}')}\n\n`), [...stream, ['Content-Encoding', 'gzip']], [4]),
  },
]

import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Headers, pause } from '../harness/message.ts'
import type { Script } from '../harness/peers.ts'
import { answer, answerInChunks, call, type Exchange, head, host, result, usual } from './exchange.ts'

const plain = { body: call('{}'), response: answer(result('{}')) }
const list = { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }

/** What a client says in a head reaches the server: nothing is added, folded, sorted or lost. */
export const requestHeads: Exchange[] = [
  { name: 'only what was sent', ...plain, headers: [host] },
  { name: 'a token', ...plain, headers: [...usual, ['Authorization', 'Bearer abc.def-123_~+/=']] },
  {
    name: 'names in their case and order',
    ...plain,
    headers: [
      ['x-B', '1'],
      ['X-a', '2'],
      host,
      ['aCCEPT', 'text/event-stream'],
      ['X-A', '3'],
      ['content-TYPE', 'application/json'],
    ],
  },
  {
    name: 'names that occur twice',
    ...plain,
    headers: [...usual, ['X-Twice', 'one'], ['X-Other', ''], ['X-Twice', 'two'], ['Cookie', 'a=1'], ['Cookie', 'b=2']],
  },
  { name: 'values of any bytes', ...plain, headers: [...usual, ['X-Bytes', '\u00fc\u00ff \t, ;="'], ['X-Empty', '']] },
  { name: 'a long value', ...plain, headers: [...usual, ['X-Long', 'v'.repeat(10_000)]] },
  {
    name: 'a hundred headers',
    ...plain,
    headers: [...usual, ...Array.from({ length: 100 }, (_, i): Headers[number] => [`X-${i}`, `${i}`])],
  },
  {
    name: 'where it comes from',
    ...plain,
    headers: [
      ...usual,
      ['Origin', 'http://localhost:1'],
      ['User-Agent', 'ua/1'],
      ['Forwarded', 'for=1.2.3.4'],
      ['X-Forwarded-For', '1.2.3.4'],
      ['Via', '1.1 a'],
    ],
  },
  {
    name: 'traces and sessions',
    ...plain,
    headers: [
      ...usual,
      ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
      ['Mcp-Session-Id', 's-1!~'],
      ['Mcp-Method', 'tools/call'],
      ['Mcp-Name', 'echo'],
    ],
  },
  { name: 'a query', ...plain, query: '?a=%2F%7e&a=1&&b=%20+x;y' },
  {
    name: 'a header and a body that disagree',
    ...plain,
    headers: [...usual, ['Mcp-Method', 'tools/list'], ['Mcp-Name', 'other']],
  },
  {
    name: 'a type with parameters',
    ...plain,
    headers: [host, ['Content-Type', 'Application/JSON; charset="utf-8"'], ['Accept', '*/*;q=0.1']],
  },
  {
    name: 'an encoded body',
    headers: [...usual, ['Content-Encoding', 'gzip']],
    body: gzipSync(call('{"a":1}')),
    response: answer(result('{}')),
  },
  { name: 'a body in chunks', ...plain, chunks: { sizes: [1, 7, 20] } },
  {
    name: 'trailers',
    ...plain,
    headers: [...usual, ['Trailer', 'X-Sum']],
    chunks: {
      sizes: [10],
      trailers: [
        ['X-Sum', 'abc'],
        ['x-sum', 'def'],
      ],
    },
  },
  {
    name: 'no body, with its length',
    body: '',
    response: answer('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"empty"}}', [], '400 Bad Request'),
  },
  {
    name: 'GET that is refused',
    method: 'GET',
    headers: [host, ['Accept', 'text/event-stream']],
    response: answer('', [['Allow', 'POST']], '405 Method Not Allowed'),
  },
  { name: 'DELETE', method: 'DELETE', headers: [host, ['Mcp-Session-Id', 's-1']], response: answer('', [], '200 OK') },
  {
    name: 'OPTIONS',
    method: 'OPTIONS',
    headers: [host, ['Origin', 'http://localhost:1'], ['Access-Control-Request-Method', 'POST']],
    response: head('HTTP/1.1 204 No Content', [['Access-Control-Allow-Origin', '*']]),
  },
  {
    name: 'HEAD',
    method: 'HEAD',
    headers: [host],
    response: head('HTTP/1.1 200 OK', [
      ['Content-Type', 'application/json'],
      ['Content-Length', '1234'],
    ]),
  },
  {
    name: 'PUT and its body',
    method: 'PUT',
    body: 'put',
    response: answer('no', [['Content-Type', 'text/plain']], '405 Method Not Allowed'),
  },
  { name: 'PATCH', method: 'PATCH', body: '{}', response: answer('{}', [], '501 Not Implemented') },
]

const challenge: Headers = [
  [
    'WWW-Authenticate',
    'Bearer realm="mcp", resource_metadata="https://mcp.example.org/.well-known/oauth-protected-resource"',
  ],
]
const status = (line: string, headers: Headers = []): Exchange => ({
  name: line,
  ...list,
  response: answer('{"jsonrpc":"2.0","id":1,"result":{}}', headers, line),
})

/** What a server says in a head reaches the client. */
export const responseHeads: Exchange[] = [
  status('200 Fine by me'),
  status('200 '),
  status('201 Created', [['Location', '/x']]),
  status('299 Odd'),
  status('301 Moved Permanently', [['Location', 'https://elsewhere.example.org/mcp']]),
  status('307 Temporary Redirect', [['Location', '/other']]),
  status('400 Bad Request'),
  status('401 Unauthorized', challenge),
  status('403 Forbidden', [...challenge, ['WWW-Authenticate', 'Bearer error="insufficient_scope"']]),
  status('404 Not Found'),
  status("418 I'm a teapot"),
  status('429 Too Many Requests', [['Retry-After', '3']]),
  status('451 Unavailable For Legal Reasons'),
  status('500 Internal Server Error'),
  status('502 Bad Gateway'),
  status('503 Service Unavailable'),
  status('507 Insufficient Storage'),
  status('599 \u00fcber'),
  {
    name: '202 without a body',
    body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    response: answer('', [], '202 Accepted'),
  },
  {
    name: '204',
    body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    response: head('HTTP/1.1 204 No Content', [['X-A', '1']]),
  },
  {
    name: '304',
    method: 'GET',
    headers: [host, ['If-None-Match', '"e"']],
    response: head('HTTP/1.1 304 Not Modified', [['ETag', '"e"']]),
  },
  {
    name: 'names in their case, order and number',
    ...list,
    response: answer(result('{}'), [
      ['x-B', '1'],
      ['Set-Cookie', 'a=1'],
      ['X-a', '2'],
      ['set-cookie', 'b=2'],
      ['X-A', '3'],
      ['DATE', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['Server', 'odd/1'],
    ]),
  },
  { name: 'a session id', ...list, response: answer(result('{}'), [['mcp-session-id', '!~session~!']]) },
  {
    name: 'values of any bytes',
    ...list,
    response: answer(result('{}'), [
      ['X-Bytes', '\u00fc\u00ff'],
      ['X-Empty', ''],
    ]),
  },
  { name: 'a value of 40,000 bytes', ...list, response: answer(result('{}'), [['X-Long', 'w'.repeat(40_000)]]) },
  {
    name: '2,500 headers',
    ...list,
    response: answer(
      result('{}'),
      Array.from({ length: 2_500 }, (_, i): Headers[number] => [`X-${i}`, '']),
    ),
  },
  { name: '204 with a length', ...list, response: head('HTTP/1.1 204 No Content', [['Content-Length', '0']]) },
  { name: '304 with a length', ...list, response: head('HTTP/1.1 304 Not Modified', [['Content-Length', '5']]) },
  {
    name: 'no type',
    ...list,
    response: Buffer.concat([head('HTTP/1.1 200 OK', [['Content-Length', '2']]), Buffer.from('{}')]),
  },
  { name: 'HTML', ...list, response: answer('<html>', [['Content-Type', 'text/html']], '502 Bad Gateway') },
  {
    name: 'chunks',
    ...list,
    response: answerInChunks(result('{"a":1}'), [['Content-Type', 'application/json']], [1, 2, 30]),
  },
  {
    name: 'trailers',
    ...list,
    response: answerInChunks(
      result('{}'),
      [
        ['Content-Type', 'application/json'],
        ['Trailer', 'X-Sum'],
      ],
      [5],
      [
        ['X-Sum', 'abc'],
        ['x-other', 'y'],
      ],
    ),
  },
  { name: 'gzip', ...list, response: answer(gzipSync(result('{"a":1}')), [['Content-Encoding', 'gzip']]) },
  { name: 'br', ...list, response: answer(brotliCompressSync(result('{"a":1}')), [['Content-Encoding', 'br']]) },
  { name: 'zstd', ...list, response: answer(zstdCompressSync(result('{"a":1}')), [['Content-Encoding', 'zstd']]) },
  {
    name: 'gzip in chunks',
    ...list,
    response: answerInChunks(
      gzipSync(result('{"a":1}')),
      [
        ['Content-Type', 'application/json'],
        ['Content-Encoding', 'gzip'],
      ],
      [10, 3],
    ),
  },
  { name: 'an encoding that is none', ...list, response: answer('not gzip', [['Content-Encoding', 'gzip']]) },
]

const afterwards =
  (...informational: Buffer[]): Script =>
  async (wire) => {
    for (const one of informational) await wire.write(one)
    await pause(20)
    await wire.write(answer(result('{}')))
  }

/** Informational responses reach the client before the one that counts. */
export const interimHeads: Exchange[] = [
  {
    name: '103 with links',
    ...list,
    response: afterwards(
      head('HTTP/1.1 103 Early Hints', [
        ['Link', '</a>; rel=preload'],
        ['link', '</b>'],
        ['X-H', '1'],
      ]),
    ),
  },
  { name: '102', ...list, response: afterwards(head('HTTP/1.1 102 Processing', [])) },
  {
    name: 'several',
    ...list,
    response: afterwards(
      head('HTTP/1.1 103 Early Hints', [['Link', '</a>']]),
      head('HTTP/1.1 199 Odd', [['X-O', 'p']]),
      head('HTTP/1.1 103 Early Hints', [['Link', '</b>']]),
    ),
  },
]

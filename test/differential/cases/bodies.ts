import { randomBytes } from 'node:crypto'
import { call, result, toBytes } from './exchange.ts'

/** A request and its answer as bytes, for every transport. */
export interface BodyCase {
  name: string
  request: Uint8Array
  response: Uint8Array
}

/** JSON text that changes its meaning, its form or its bytes when somebody parses it and writes it again. */
const values: [name: string, json: string][] = [
  ['an integer beyond 2^53', '{"n":9007199254740993}'],
  ['a number beyond every double', '{"n":1e400,"m":-1e-400}'],
  ['numbers in many spellings', '{"n":[1.0,1E5,-0,0.1000,1e+2,12345678901234567890.12345678901234567890]}'],
  ['an order of keys', '{"z":1,"10":2,"2":3,"a":4}'],
  ['duplicate keys', '{"b":1,"a":2,"b":3}'],
  ['keys with a history', '{"__proto__":{"x":1},"constructor":1,"toString":2,"":3}'],
  ['escapes that need not be', '{"a":"\\u00fc\\/\\u0041","\\u0062":"\\ud83d\\ude00"}'],
  ['letters as they are', '{"a":"\u00fc\u{1f600}\u2028\u2029\ufeff"}'],
  ['lone surrogates', '{"a":"\\ud800","b":"\\udc00\\ud800"}'],
  ['control characters, escaped', '{"a":"\\u0000\\b\\t\\u001b\\u007f"}'],
  ['white space of many kinds', ' \t{ "a" :\t[ 1 , 2 ]  } '],
  ['ten thousand levels', '['.repeat(10_000) + ']'.repeat(10_000)],
  ['a long text', `{"a":"${'\u00fcx'.repeat(100_000)}"}`],
  ['random bytes in base64', `{"a":"${randomBytes(30_000).toString('base64')}"}`],
]

const ids: [name: string, id: string][] = [
  ['one', '1'],
  ['one as text', '"1"'],
  ['one with a fraction', '1.0'],
  ['null', 'null'],
  ['negative', '-5'],
  ['beyond 2^53', '9007199254740993'],
  ['beyond every double', '1e400'],
  ['with escapes', '"\\u0041\\"\\\\\\ud800"'],
  ['empty', '""'],
  ['of 5,000 characters', `"${'i'.repeat(5_000)}"`],
  ['an object', '{"a":1}'],
  ['a list', '[1]'],
  ['true', 'true'],
]

const bytesOf = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))

/** What is not what the protocol asks for; observed, not judged. */
const odd: [name: string, request: Uint8Array, response: Uint8Array][] = [
  ['byte order marks', bytesOf([0xef, 0xbb, 0xbf], call('{}')), bytesOf([0xef, 0xbb, 0xbf], result('{}'))],
  [
    'invalid UTF-8',
    bytesOf(call('{"a":"').slice(0, -2), [0xff, 0xc3, 0x28, 0xc0, 0xaf], '"}}}'),
    bytesOf('{"jsonrpc":"2.0","id":1,"result":{"a":"', [0xed, 0xa0, 0x80, 0xf5], '"}}'),
  ],
  ['a NUL', bytesOf('{"jsonrpc":"2.0",', [0], '"id":1}'), bytesOf([0], result('{}'))],
  ['no JSON', toBytes('hello'), toBytes('world')],
  ['half of it', toBytes(call('{}').slice(0, 40)), toBytes(result('{}').slice(0, 30))],
  ['text behind it', toBytes(`${call('{}')} and more`), toBytes(`${result('{}')} and more`)],
  ['scalars', toBytes('5'), toBytes('null')],
  ['other members', toBytes('{"id":1,"x":[]}'), toBytes('{"id":1,"y":{}}')],
  [
    'duplicate members of the envelope',
    toBytes('{"jsonrpc":"2.0","id":1,"method":"tools/list","id":2,"method":"ping"}'),
    toBytes('{"jsonrpc":"2.0","id":1,"id":2,"result":{},"error":{"code":1,"message":"m"}}'),
  ],
  [
    'members in another case',
    toBytes('{"jsonrpc":"2.0","Id":1,"id":3,"Method":"a","method":"ping"}'),
    toBytes('{"jsonrpc":"2.0","ID":1,"id":3,"Result":1,"result":{}}'),
  ],
  ['an answer for nobody', toBytes(call('{}', '7')), toBytes(result('{}', '8'))],
  [
    'a batch',
    toBytes(`[${call('{}', '1')},${call('{}', '2')}]`),
    toBytes(`[${result('{}', '2')}, ${result('{}', '1')}]`),
  ],
  [
    'an error with data',
    toBytes(call('{}')),
    toBytes('{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"\\u0065","data":{"n":1e400}}}'),
  ],
  [
    'a failed tool',
    toBytes(call('{}')),
    toBytes('{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[{"type":"text","text":"no"}]}}'),
  ],
]

export const idCases: BodyCase[] = ids.map(([name, id]) => ({
  name: `an id ${name}`,
  request: toBytes(call('{}', id)),
  response: toBytes(result('{}', id)),
}))

export const bodyCases: BodyCase[] = [
  ...values.map(([name, json]) => ({ name, request: toBytes(call(json)), response: toBytes(result(json)) })),
  ...odd.map(([name, request, response]) => ({ name, request, response })),
]

/** Bodies that hold line ends, which no line can. */
export const multilineCases: BodyCase[] = [
  {
    name: 'printed over many lines',
    request: toBytes(call('{\n  "a": [\r\n    1,\n\n    2\n  ]\r}\n')),
    response: toBytes(`\n${result('{\n  "a":\r\n 1 }')}\r\n\n`),
  },
  { name: 'two documents', request: toBytes(`${call('{}')}\n${call('{}', '2')}\n`), response: toBytes('{}\n{}\n') },
  {
    name: 'line ends within texts, where JSON has none',
    request: toBytes(call('{"a":"\n"}')),
    response: toBytes(result('{"a":"\r\n"}')),
  },
]

const megabytes = (count: number) => 'm'.repeat(count * 1024 * 1024)
export const largeCases: BodyCase[] = [
  { name: 'a request of 12 MB', request: toBytes(call(`"${megabytes(12)}"`)), response: toBytes(result('{}')) },
  { name: 'a result of 12 MB', request: toBytes(call('{}')), response: toBytes(result(`"${megabytes(12)}"`)) },
]

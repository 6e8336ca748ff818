import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formOf, idKey, type ScannedLine, textOf } from './message.ts'
import { LineScan } from './scan.ts'

function scan(bytes: Uint8Array, cuts: readonly number[] = []): ScannedLine {
  const reader = new LineScan()
  let at = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= at || cut >= bytes.length) continue
    reader.push(bytes.slice(at, cut))
    at = cut
  }
  reader.push(bytes.slice(at))
  return reader.end()
}

const scanText = (text: string) => scan(Buffer.from(text))
const only = (text: string) => {
  const [message] = scanText(text).messages
  if (message === undefined) throw new Error('no message')
  return message
}

describe('the reader of lines', () => {
  it('says the same however the bytes are cut, and never throws [C-29]', () => {
    const json = fc.json().map((text) => Buffer.from(text))
    const rpc = fc
      .record(
        {
          jsonrpc: fc.constant('2.0'),
          id: fc.jsonValue(),
          method: fc.string(),
          params: fc.jsonValue(),
          result: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((value) => Buffer.from(JSON.stringify(value)))
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    const damaged = fc.tuple(rpc, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      if (bytes.length > 0) bytes[at % bytes.length] = value
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(json, rpc, noise, damaged), fc.array(fc.nat(300), { maxLength: 8 }), (bytes, cuts) => {
        expect(scan(bytes, cuts)).toEqual(scan(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  it('finds id, method and name where JSON.parse finds them [C-29]', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    const message = fc.record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.string(), fc.integer()),
      method: fc.string(),
      params: fc.record({ name: fc.string(), arguments: value, _meta: value }),
    })
    fc.assert(
      fc.property(message, (sent) => {
        const bytes = Buffer.from(JSON.stringify(sent))
        const [found] = scan(bytes).messages
        const json = (key: string) => {
          const span = found?.spans.get(key)
          return span === undefined ? undefined : JSON.parse(bytes.subarray(span.start, span.end).toString())
        }
        const { id, method, params } = JSON.parse(bytes.toString())
        expect([json('id'), json('method'), json('params'), json('params._meta')]).toEqual([
          id,
          method,
          params,
          params._meta,
        ])
        expect(textOf(found?.spans.get('params.name'))).toBe(params.name)
      }),
      { numRuns: 1000 },
    )
  })

  it('a key with a dot in it is not a path [C-12]', () => {
    const message = only(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params.name":"spoof","params":{"name":"real","x":{"name":"inner"}}}',
    )
    expect(textOf(message.spans.get('params.name'))).toBe('real')
  })

  it('the last of two equal keys counts, as for JSON.parse, and both are a violation [C-12]', () => {
    const message = only('{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}')
    expect(textOf(message.spans.get('method'))).toBe('b')
    expect([...message.flaws]).toEqual(['duplicate_key'])
  })

  it('keys are folded as the most lenient parser folds them [C-12]', () => {
    for (const key of ['Method', 'METHOD', '\\u004dethod'])
      expect([...only(`{"jsonrpc":"2.0","id":1,"method":"a","${key}":"b"}`).flaws]).toEqual(['folded_key'])
    expect([...only('{"jsonrpc":"2.0","id":1,"method":"a","param\u017f":{}}').flaws]).toEqual(['folded_key'])
    expect([...only('{"jsonrpc":"2.0","id":1,"method":"a","params":{"Note":1,"note":2}}').flaws]).toEqual([])
  })

  it('forms follow the envelope [C-12]', () => {
    const forms = [
      ['{"jsonrpc":"2.0","id":1,"method":"a"}', 'request'],
      ['{"jsonrpc":"2.0","id":null,"method":"a"}', 'request'],
      ['{"jsonrpc":"2.0","method":"a"}', 'notification'],
      ['{"jsonrpc":"2.0","id":1,"result":{}}', 'response'],
      ['{"jsonrpc":"2.0","id":null,"error":{}}', 'response'],
      ['{"jsonrpc":"2.0","id":1}', 'other'],
      ['{"jsonrpc":"2.0","id":[1],"method":"a"}', 'request'],
      ['{"jsonrpc":"2.0","method":"tools/call"}', 'request'],
      ['{"jsonrpc":"2.0","id":true,"result":{}}', 'response'],
      ['{"jsonrpc":"2.0","result":{}}', 'other'],
    ] as const
    expect(forms.map(([text]) => formOf(only(text)))).toEqual(forms.map(([, form]) => form))
  })

  it('ids are keyed by type and spelling [C-6]', () => {
    const keyOf = (id: string) => {
      const span = only(`{"jsonrpc":"2.0","id":${id},"method":"a"}`).spans.get('id')
      return span === undefined ? '' : idKey(span)
    }
    const ids = ['1', '"1"', '1.0', '1e0', '-1', '9007199254740993', '9007199254740992', 'null', '"null"', '""']
    expect(new Set(ids.map(keyOf)).size).toBe(ids.length)
    expect(keyOf('"\\u00fc"')).toBe(keyOf('"ü"'))
  })

  it('ids of any length and type are keyed by their bytes, however they are cut [C-6] [C-32]', () => {
    const long = 'x'.repeat(70_000)
    const ids = [
      `"${long}"`,
      `"${long}y"`,
      '7'.repeat(70_000),
      '{"a":[1,{"b":2}]}',
      '{"a": [1,{"b":2}]}',
      '[]',
      '[[]]',
      'true',
    ]
    const keyOf = (id: string, cuts: number[]) => {
      const line = scan(Buffer.from(`{"jsonrpc":"2.0","method":"a","id" : ${id} ,"params":{"requestId":${id}}}`), cuts)
      const { spans } = line.messages[0] ?? { spans: new Map() }
      const [own, other] = [spans.get('id'), spans.get('params.requestId')]
      expect(own === undefined ? '' : idKey(own)).toBe(other === undefined ? '' : idKey(other))
      return own === undefined ? '' : idKey(own)
    }
    const whole = ids.map((id) => keyOf(id, []))
    expect(new Set(whole).size).toBe(ids.length)
    expect(ids.map((id) => keyOf(id, [35, 36, 37, 38, 39, 40, 41, 42, 65_536, 70_050]))).toEqual(whole)
  })

  it('bytes that are not UTF-8 are read past, and said [C-12]', () => {
    const line = scan(Buffer.from('{"jsonrpc":"2.0","id":"\xe9","method":"a\xff"}', 'latin1'))
    expect(line).toMatchObject({ shape: 'single', invalidUtf8: true })
    expect(textOf(line.messages[0]?.spans.get('method'))).toBe('a?')
  })

  it('tools and content are read in passing, at any size [C-14]', () => {
    const tool = '{ "name" : "t\\u0065st", "inputSchema": {"name": "not this"} }'
    const text = `{"jsonrpc":"2.0","id":1,"result":{"tools":[${tool},{"title":"nameless"}],"content":[{"type":"text","text":"x"},{"type":"image","mimeType":"image/png","data":""}]}}`
    const line = scan(
      Buffer.from(text),
      Array.from({ length: text.length }, (_, i) => i),
    )
    expect(line.messages[0]?.tools).toEqual([
      {
        name: 'test',
        definition: createHash('sha256').update(tool).digest('base64'),
        start: text.indexOf(tool),
        end: text.indexOf(tool) + tool.length,
      },
    ])
    expect(line.messages[0]?.toolCount).toBe(1)
    expect(line.messages[0]?.blocks).toEqual([
      { type: 'text', bytes: 26 },
      { type: 'image', bytes: 49, mimeType: 'image/png' },
    ])
  })

  it('blank lines are blank, whatever white space they hold', () => {
    expect(['', '\r', ' \t '].map((text) => scanText(text).shape)).toEqual(['blank', 'blank', 'blank'])
    expect(['x', '\u00a0', '{', '"', ' tru', '-'].map((text) => scanText(text).shape)).toEqual(
      Array(6).fill('unreadable'),
    )
  })
})

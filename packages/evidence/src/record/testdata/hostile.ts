/** Texts that parsers trip over. Each is meant to be put where a record is expected. */
const manyKeys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(',')

export const hostileTexts: Record<string, string> = {
  nothing: '',
  'a number': '1',
  null: 'null',
  'an array': '[]',
  'an empty object': '{}',
  'deep arrays': '['.repeat(10_000) + ']'.repeat(10_000),
  'deep objects': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  'deep and cut': '['.repeat(100_000),
  'deep below v': `{"v":${'['.repeat(3_000)}${']'.repeat(3_000)}}`,
  'deep in sections': `{"kind":"heartbeat","sections":${'{"input":'.repeat(1_500)}1${'}'.repeat(1_500)},"v":1}`,
  'many keys': `{${manyKeys}}`,
  'duplicate keys': '{"v":1,"v":1,"v":1}',
  __proto__: '{"__proto__":{"v":1},"v":1}',
  constructor: '{"constructor":{"prototype":{"v":1}},"kind":"call","v":1}',
  'own hasOwnProperty': '{"hasOwnProperty":1,"kind":"heartbeat","toString":1,"v":1}',
  'kind __proto__': '{"kind":"__proto__","v":1}',
  'kind constructor': '{"kind":"constructor","v":1}',
  'huge number': '{"v":1e400}',
  'unsafe integer': '{"v":9007199254740993}',
  'long number': `{"v":1${'0'.repeat(5_000)}}`,
  'lone surrogate': '{"v":1,"kind":"\\ud800"}',
  'lone surrogate as key': '{"\\udfff":1,"v":1}',
  'nul bytes': '\u0000\u0000\u0000',
  'line feed inside': '{"v":1,\n"kind":"call"}',
}

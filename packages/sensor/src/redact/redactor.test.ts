import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRedactor } from './redactor.ts'

const correlationKey = Buffer.alloc(32, 7)
const redactor = createRedactor({ correlationKey })
const secret = 'ghp_Zx81kQpV0mN4bT7yRw2LsD9cHf3JgA6uEi5o'

function redact(text: string) {
  const { text: out, removed } = redactor.redactJson(Buffer.from(text))
  return { text: Buffer.from(out).toString(), removed }
}
const redactValue = (value: unknown) => redact(JSON.stringify(value))

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (problem) {
    if (problem instanceof SyntaxError) return false
    throw problem
  }
}

describe('what is removed', () => {
  test('a value goes by its name, wherever the name says so [X-1]', () => {
    const cases: unknown[] = [
      { password: secret }, { DB_PASSWORD: secret }, { clientSecret: secret }, { 'X-Api-Key': secret }, { api_key: [secret] },
      { credentials: { token: { value: secret } } }, { name: 'PASSWORD', value: secret }, { value: secret, key: 'api_token' },
      ['--password', secret], { headers: [['Authorization', `Bearer ${secret}`]] }, { cookie: `sid=${secret}` },
      ['sshpass', '-p', secret], ['curl', '-u', `admin:${secret}`],
    ] // biome-ignore format: one list
    for (const value of cases) {
      const { text, removed } = redactValue(value)
      expect(text, JSON.stringify(value)).not.toContain(secret)
      expect(removed.length, JSON.stringify(value)).toBe(1)
      expect(isJson(text)).toBe(true)
    }
  })

  test('names about secrets keep their values [X-1]', () => {
    const value = {
      max_tokens: 4096, token_count: 12, nextPageToken: 'CAEQAA', token_type: 'bearer', password_policy: 'strong', kms_key_id: 'k-1',
      secret_name: 'prod/db', passwordChangedAt: '2026-01-01', public_key: 'ssh-ed25519 AAAAC3', has_password: true, key: 'PROJ-12',
      dependencies: { cookie: '^0.7.1', jsonwebtoken: '9.0.2' }, ref: '$DB_PASSWORD', password: '{{ password }}', monkey: 'x1y2z3a4b5c6d7e8',
    } // biome-ignore format: one list
    expect(redactValue(value)).toEqual({ text: JSON.stringify(value), removed: [] })
  })

  test('numbers become string markers and JSON stays JSON [X-2]', () => {
    const { text, removed } = redact('{"card":4111111111111111,"pin":1234,"password":123456,"id":9007199254740993}')
    expect(text).toBe(
      '{"card":"[REDACTED:card]","pin":"[REDACTED:pin]","password":"[REDACTED:password]","id":9007199254740993}',
    )
    expect(removed.map(({ path }) => path)).toEqual(['/card', '/pin', '/password'])
  })

  test('keys are redacted too, and do not come back in paths [X-3]', () => {
    const { text, removed } = redactValue({ 'jane.doe@example.com': { [secret]: 'x', password: 'correct-horse-9' } })
    expect(text).toBe('{"[REDACTED:email]":{"[REDACTED:github-token]":"x","password":"[REDACTED:password]"}}')
    expect(JSON.stringify(removed)).not.toMatch(/jane|ghp_|correct/)
    expect(removed.at(-1)?.path).toBe('/[REDACTED:email]/password')
  })

  test('escapes are undone before matching and lone surrogates survive [X-4]', () => {
    const escaped = [...secret].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    const { text } = redact(`{"a":"\\ud800 ${escaped} \\udfff\\n\u00e9","\\u0070assword":"hunter2-and-more"}`)
    expect(text).toBe('{"a":"\\ud800 [REDACTED:github-token] \\udfff\\n\u00e9","\\u0070assword":"[REDACTED:password]"}')
  })

  test('a secret found by its name is removed where it stands without one [X-5]', () => {
    const { text, removed } = redactValue({
      password: 'tr0ub4dor&3',
      command: 'login --as root tr0ub4dor&3',
      b: Buffer.from('xx tr0ub4dor&3 yy').toString('base64'),
    })
    expect(JSON.parse(text)).toEqual({
      password: '[REDACTED:password]',
      command: 'login --as root [REDACTED:password]',
      b: '[REDACTED:password]',
    })
    expect(new Set(removed.map(({ digest }) => digest)).size).toBe(1)
  })

  test('what is not JSON is redacted as text [X-6]', () => {
    const { text } = redact(`{"password": "correct-horse-9", "cut": "${secret}`)
    expect(text).toBe('{"password": "[REDACTED:password]", "cut": "[REDACTED:github-token]')
    expect(redactor.redactText(`token=${secret} ok`).text).toBe('token=[REDACTED:github-token] ok')
  })

  test('bytes that are not UTF-8 stay, and secrets between them go [X-6]', () => {
    const { text } = redactor.redactJson(
      Buffer.concat([Buffer.from([0xff, 0xfe, 0x20]), Buffer.from(secret), Buffer.from([0x20, 0xc3])]),
    )
    expect(Buffer.from(text)).toEqual(
      Buffer.concat([
        Buffer.from([0xff, 0xfe, 0x20]),
        Buffer.from('[REDACTED:github-token]'),
        Buffer.from([0x20, 0xc3]),
      ]),
    )
  })
})

describe('digests', () => {
  const digestsOf = (value: unknown) => redactValue(value).removed.map(({ digest }) => digest)

  test('equal secrets meet, in whatever encoding and place [X-7]', () => {
    const expected = `${'e5d70e6c'}`.length // 8 hex digits name the key
    const values: unknown[] = [
      { password: secret }, { note: `see ${secret}` }, { b: Buffer.from(secret).toString('base64') }, { u: encodeURIComponent(`?t=${secret}&`) },
      { j: JSON.stringify({ deep: [secret] }) }, { authorization: `Bearer ${secret}` }, { authorization: `Basic ${Buffer.from(`me:${secret}`).toString('base64')}` }, { text: `Basic ${Buffer.from(`me:${secret}`).toString('base64')}` }, { db: `pg://me:${secret.replace('_', '%5f')}@db/x` }, { authorization: `token ${secret}` },
    ] // biome-ignore format: one list
    const digests = new Set(values.flatMap(digestsOf))
    expect(digests.size).toBe(1)
    const mac = createHmac('sha256', correlationKey).update('affidavit/v1 digest\n').update(secret).digest('base64')
    const [digest] = digests
    expect(digest?.slice(expected)).toBe(`:${mac}`)
  })

  test('numbers meet in every spelling, and another key gives another digest [X-7]', () => {
    expect(new Set([...digestsOf({ a: '4111 1111 1111 1111' }), ...digestsOf({ a: 4111111111111111 })]).size).toBe(1)
    const other = createRedactor({ correlationKey: Buffer.alloc(32, 8) }).redactText(secret).removed
    expect(other[0]?.digest).not.toBe(redactor.redactText(secret).removed[0]?.digest)
  })

  test('what could be guessed has none [X-8]', () => {
    for (const value of [
      { password: 'short' },
      { a: '514-69-0360' },
      { phone: '+1 541 714 1388' },
      { pin: '123456' },
      { password: 'abcdefgh' },
    ]) {
      const { removed } = redactValue(value)
      expect(removed.length).toBe(1)
      expect(removed[0], JSON.stringify(value)).not.toHaveProperty('digest')
    }
  })
})

describe('every nesting', () => {
  /** Each wraps a text so that a reader would have to undo it to see the text. */
  const wraps: Record<string, (text: string) => string> = {
    json: (text) => JSON.stringify({ a: text }),
    array: (text) => JSON.stringify(['x', [text]]),
    key: (text) => JSON.stringify({ [text]: 1 }),
    base64: (text) => Buffer.from(text).toString('base64'),
    base64url: (text) => Buffer.from(text).toString('base64url'),
    percent: (text) => encodeURIComponent(text),
    percentAll: (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    query: (text) => `https://example.com/x?q=${encodeURIComponent(text)}&r=1`,
    prose: (text) => `see: ${text} and so on`,
    utf16: (text) => Buffer.from(`echo ${text}`, 'utf16le').toString('base64'),
    dataUrl: (text) => `data:text/plain;base64,${Buffer.from(text).toString('base64')}`,
    quoted: (text) => JSON.stringify(text),
    mime: (text) =>
      (
        Buffer.from(`${'-'.repeat(60)}\n${text}`)
          .toString('base64')
          .match(/.{1,76}/g) ?? []
      ).join('\r\n'),
  }

  const unwrapped = (value: string) => Object.values(wraps).some((wrap) => wrap(value).includes(secret))

  test('a marker in every nesting of up to three encodings is found and its bytes are gone [X-9]', () => {
    expect(unwrapped(secret)).toBe(true)
    for (const [outerName, outer] of Object.entries(wraps))
      for (const [middleName, middle] of Object.entries(wraps))
        for (const [innerName, inner] of Object.entries(wraps)) {
          const text = JSON.stringify({ arguments: { value: outer(middle(inner(secret))) } })
          const name = `${outerName} of ${middleName} of ${innerName}`
          const { text: out, removed } = redact(text)
          expect(
            removed.some(({ rule }) => rule === 'github-token'),
            name,
          ).toBe(true)
          expect(out, name).not.toContain(secret)
          expect(redact(out).removed, `${name}: nothing is left to find`).toEqual([])
          expect(isJson(out), name).toBe(true)
        }
  })
})

const hint = fc.constantFrom(
  'password',
  'token',
  'note',
  'email',
  'name',
  'value',
  'Authorization',
  'id',
  '__proto__',
  'card',
)
const loaded = fc.constantFrom(
  secret, 'x@example.org', '4111111111111111', 'password=tr0ub4dor&3', `Bearer ${secret}`, 'DE89370400440532013000', '\ud800', '\\', '%41%zz',
  Buffer.from(`token=${secret}`).toString('base64'), JSON.stringify({ secret: 'abc-123-def' }), '[REDACTED:password]', '[REDACTED:x', 'https://u:p4ssw0rd@h/', 'token: ', ': x1y2z3a4b5c6d7', '=', '--password', ' ', 'curl -u a:b1c2d3 ', '&quot;', '%3D', '\n',
) // biome-ignore format: one list
const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  loaded,
  fc.tuple(fc.string(), loaded, fc.string()).map((parts) => parts.join('')),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
)
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(hint, loaded, fc.string()), tie('value'), { maxKeys: 4 }),
  ),
})).value

const piece = fc.constantFrom(
  secret, 'x@example.org', '4111111111111111', 'password', 'tr0ub4dor&3', 'Bearer ', 'DE89370400440532013000', '\\', '%41', 'token', 'api_key', '=', ': ',
  ' ', ' is ', '"', "'", '<', '>', '</', '(', ')', '[', ']', '{', '}', ',', '\n', '--', '-u ', 'curl ', 'a1b2c3d4e5f6g7h8', 'https://', '@', '/', ':', '&',
  '&quot;', '%3D', '\\"', '\\u0041', 'Authorization', 'Basic ', 'Zm9vOmJhcjEyMw==', '[REDACTED:token]', 'phone ', '555-123-4567', '123', 'ssn ', '514-69-0360',
  '|', '||', 'set ', 'name', 'value', 'cookie', 'sid=abc123def', Buffer.from(`password=${secret}`).toString('base64'), 'é', '\ud800',
) // biome-ignore format: one list

describe('properties', () => {
  const runs = { numRuns: 1500 }

  test('output is JSON exactly where input is [X-10]', () => {
    fc.assert(
      fc.property(json, (value) => isJson(redactValue(value).text)),
      runs,
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          loaded,
          fc
            .tuple(
              json.map((value) => JSON.stringify(value)),
              fc.nat(60),
            )
            .map(([text, cut]) => text.slice(0, -cut)),
        ),
        (text) => isJson(redact(text).text) === isJson(text),
      ),
      runs,
    )
  })

  test('redacting again changes nothing [X-11]', () => {
    fc.assert(
      fc.property(json, (value) => {
        const once = redactValue(value).text
        expect(redact(once)).toEqual({ text: once, removed: [] })
      }),
      runs,
    )
  })

  test('redacting text again changes nothing, whatever stands beside what [X-11]', () => {
    const pieces = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(pieces, (text) => {
        const once = redactor.redactText(text).text
        expect(redactor.redactText(once)).toEqual({ text: once, removed: [] })
      }),
      runs,
    )
  })

  test('bytes outside the removals are the original ones, in order [X-12]', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value)
        let at = 0
        for (const part of redact(text).text.split(/\\*"?\[REDACTED:[a-z0-9-]+\]\\*"?/)) {
          const found = text.indexOf(part.replace(/^\\*"|\\*"$/g, ''), at)
          expect(found).toBeGreaterThanOrEqual(at)
          at = found
        }
        if (redact(text).removed.length === 0) expect(redact(text).text).toBe(text)
      }),
      runs,
    )
  })

  test('nothing removed as a secret is anywhere in the output [X-13]', () => {
    const opaque = fc
      .string({ unit: fc.constantFrom(...'abcdefGHIJKL0123456789-_!'), minLength: 12, maxLength: 40 })
      .filter((text) => /\d/.test(text) && /[a-zA-Z]/.test(text))
    fc.assert(
      fc.property(opaque, json, fc.string(), (value, other, around) => {
        const { text, removed } = redactValue([
          { password: value },
          other,
          `${around} ${value} ${around}`,
          { [value]: Buffer.from(`... ${value}`).toString('base64') },
        ])
        expect(removed.length).toBeGreaterThanOrEqual(4)
        expect(text).not.toContain(value)
      }),
      runs,
    )
  })
})

describe('hostile input', () => {
  const hostile: Record<string, string> = {
    'deep arrays': `${'['.repeat(10_000)}1${']'.repeat(10_000)}`,
    'deeper than is walked': `${'['.repeat(50_000)}"${secret}"${']'.repeat(50_000)}`,
    'deep objects': `${'{"password":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    'many keys': `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":"v${i}"`).join(',')}}`,
    'one letter': JSON.stringify('a'.repeat(1 << 20)),
    'many secrets': JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ password: `secret-number-${i}` }))),
    'many at signs': JSON.stringify('a@'.repeat(1 << 19)),
    'many signs': JSON.stringify('token='.repeat(1 << 17)),
    'many prefixes': JSON.stringify('ghp_'.repeat(1 << 18)),
    'many begins': JSON.stringify('-----BEGIN RSA PRIVATE KEY-----'.repeat(1 << 15)),
    'many quotes': JSON.stringify(JSON.stringify(JSON.stringify('"'.repeat(1 << 15)))),
    'many percents': JSON.stringify('%25'.repeat(1 << 18)),
    'many backslashes': JSON.stringify('\\'.repeat(1 << 18)),
    'nested base64': Array.from({ length: 20 }).reduce<string>(
      (text) => JSON.stringify(Buffer.from(text).toString('base64')),
      JSON.stringify('abc'.repeat(500)),
    ),
    numbers: JSON.stringify('4 1 1 1-'.repeat(1 << 17)),
    'a number': '1'.repeat(1 << 20),
    '1e400': '[1e400,-0,0.1e-7,9007199254740993]',
    nothing: '',
    'a quote': '"',
  }

  test.each(Object.entries(hostile))('%s: neither throws nor takes long [X-14]', (_, text) => {
    const start = process.cpuUsage()
    const { text: out } = redact(text)
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(5_000)
    expect(out).not.toContain(secret)
  })

  test('what is longer than the limit becomes one marker [X-15]', () => {
    const small = createRedactor({ correlationKey, bytesMax: 100 })
    const { text, removed } = small.redactJson(Buffer.from(JSON.stringify({ a: secret.repeat(3) })))
    expect(Buffer.from(text).toString()).toBe('"[REDACTED:too-large]"')
    expect(removed).toEqual([{ path: '', rule: 'too-large', bytes: 128 }])
    expect(small.redactText('x'.repeat(101)).text).toBe('[REDACTED:too-large]')
  })

  test('a long list of removals ends in how much it leaves out [X-15]', () => {
    const { removed } = redact(hostile['many secrets'] ?? '')
    expect(removed.length).toBe(1_001)
    expect(removed.at(-1)).toEqual({ path: '', rule: 'unlisted', bytes: expect.any(Number) })
  })
})

import { describe, expect, test } from 'vitest'
import { isCardNumber, isIban, isLuhn, isSsn } from './checks.ts'
import { type RuleClass, ruleClasses } from './rule.ts'
import { spansOf } from './spans.ts'

const found = (text: string, only: RuleClass) => spansOf(text, [only]).map((span) => text.slice(span.start, span.end))

describe('numbers with check digits', () => {
  test('card, IBAN and SSN follow their plans [X-24]', () => {
    expect([isLuhn('4111111111111111'), isLuhn('4111111111111112')]).toEqual([true, false])
    expect(
      ['4111111111111111', '378282246310005', '30569309025904', '1234567812345670', '41111111111111'].map(isCardNumber),
    ).toEqual([true, true, true, false, false])
    expect(
      [
        'GB82WEST12345698765432',
        'DE89370400440532013000',
        'DE89370400440532013001',
        'DE8937040044053201300',
        'XX89370400440532013000',
      ].map(isIban),
    ).toEqual([true, true, false, false, false])
    expect(['514690360', '000690360', '666690360', '914690360', '514000360', '514690000'].map(isSsn)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ])
  })

  test('cards in any grouping, not numbers that only have the length [X-24]', () => {
    for (const card of ['4111111111111111', '4111 1111 1111 1111', '4111-1111-1111-1111', '3782 822463 10005'])
      expect(found(`pay ${card}.`, 'card'), card).toEqual([card])
    for (const other of [
      '4111111111111112',
      '1700000000000000000',
      '41111111111111110',
      '4111111111111111.5',
      'x4111111111111111',
      '1.4111111111111111',
      'ab-4111111111111111',
    ])
      expect(found(other, 'card'), other).toEqual([])
    expect(found('630427373398', 'card')).toEqual([])
    expect(found('card 630427373398', 'card')).toEqual(['630427373398'])
  })

  test('IBANs with and without spaces, before other words [X-24]', () => {
    for (const iban of ['DE89 3704 0044 0532 0130 00', 'GB82WEST12345698765432', 'de89370400440532013000'])
      expect(found(`to ${iban} NOW`, 'iban'), iban).toEqual([iban])
  })

  test('SSNs in their form, bare ones only where they are named [X-24]', () => {
    expect(found('his ssn 514690360', 'ssn')).toEqual(['514690360'])
    for (const other of ['514690360', '2270-66-1551', '666-69-0360', '514-69-0360-1', '2024-11-20'])
      expect(found(other, 'ssn'), other).toEqual([])
  })
})

describe('addresses', () => {
  test('e-mail, not places and packages [X-17]', () => {
    for (const email of ['a.b+c@example.co.uk', 'jürgen@exämple.de', "o'neil@example.org"])
      expect(found(`<${email}>,`, 'email'), email).toEqual([email])
    for (const other of [
      'git@github.com:a/b.git',
      'left-pad@1.3.0',
      'icon@2x.png',
      '@scope/name',
      'user@localhost',
      'https://user:pw@example.com/',
    ])
      expect(found(other, 'email'), other).toEqual([])
  })

  test('phone numbers with a country code, in national form, or beside a word that says so [X-17]', () => {
    for (const phone of ['+41 (0)62 585 51 90', '+447700677662', '(212) 555-0142', '541-714-1388', '345-899-3560x4587'])
      expect(found(`or ${phone} or`, 'phone'), phone).toEqual([phone])
    expect(found('call me at 0494 92 82 32 please', 'phone')).toEqual(['0494 92 82 32'])
    for (const other of [
      '0494 92 82 32',
      '2024-11-20 11:03:40',
      '1732100000',
      '10.0.0.1',
      '12/11/2024',
      'order 123 456 789',
      '514-69-0360',
      '1.234.567',
    ])
      expect(found(other, 'phone'), other).toEqual([])
  })

  test('IP addresses, domains and URLs where they are switched on [X-20]', () => {
    expect(found('from 10.1.2.3:80 and 2001:db8::1, not 1.2.3.4.5 or 300.1.1.1 or 11:03:40', 'ip')).toEqual([
      '10.1.2.3',
      '2001:db8::1',
    ])
    expect(found('see www.example.com, api.example.io and main.rs', 'domain')).toEqual([
      'www.example.com',
      'api.example.io',
    ])
    expect(found('see https://example.com/a?b=c#d.', 'url')).toEqual(['https://example.com/a?b=c#d'])
    expect(ruleClasses).toContain('url')
  })
})

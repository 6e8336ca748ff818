/** Check digits and number plans that tell a real number from one that merely has its length. */

/** ISO/IEC 7812-1 Annex B. */
export function isLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}

/** Issuer ranges with the lengths they issue; [first digits from, to, shortest, longest]. */
const issuers: readonly (readonly [number, number, number, number])[] = [
  [4, 4, 13, 19], [51, 55, 16, 16], [2221, 2720, 16, 16], [34, 34, 15, 15], [37, 37, 15, 15], [6011, 6011, 16, 19],
  [644, 649, 16, 19], [65, 65, 16, 19], [62, 62, 16, 19], [3528, 3589, 16, 19], [300, 305, 14, 19], [3095, 3095, 14, 19],
  [36, 36, 14, 19], [38, 39, 14, 19], [1800, 1800, 15, 15], [2131, 2131, 15, 15], [50, 50, 12, 19], [56, 58, 12, 19],
  [6304, 6304, 12, 19], [67, 67, 12, 19], [2200, 2204, 16, 19],
] // biome-ignore format: a table

/** A payment card number: an issuer's range, its length and the check digit. */
export function isCardNumber(digits: string): boolean {
  const known = issuers.some(([from, to, shortest, longest]) => {
    const head = Number(digits.slice(0, String(from).length))
    return head >= from && head <= to && digits.length >= shortest && digits.length <= longest
  })
  return known && isLuhn(digits)
}

/** Length of an IBAN per country (SWIFT IBAN registry). */
const ibanLengths = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
)

/** Length by country and remainder 1 modulo 97 (ISO 13616-1). Takes it without spaces, upper case. */
export function isIban(iban: string): boolean {
  if (ibanLengths.get(iban.slice(0, 2)) !== iban.length) return false
  let remainder = 0
  for (const unit of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(unit, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}

/** Nine digits the Social Security Administration could have issued: no area 000, 666, 9xx, no group 00, no serial 0000. */
export function isSsn(digits: string): boolean {
  if (!/^\d{9}$/.test(digits)) return false
  const area = digits.slice(0, 3)
  if (area === '000' || area === '666' || area >= '900') return false
  if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return false
  return digits !== '123456789' && digits !== '078051120' && !/^(\d)\1{8}$/.test(digits)
}

/**
 * Words whose company says what a text is about. One of them says little, several different ones do: a detector counts how
 * many kinds of word it met, not how often. Each is looked for as a whole word, with `_`, `-` or a space between its parts.
 */

const customerWords = [
  'customer', 'client id', 'first name', 'last name', 'surname', 'full name', 'date of birth', 'birthdate', 'dob',
  'street', 'postal code', 'zip code', 'home address', 'shipping address', 'billing address', 'phone number',
  'mobile number', 'passport number', 'nationality', 'marital status', 'contact email', 'loyalty',
] // biome-ignore format: one list

const financialWords = [
  'iban', 'bic', 'swift code', 'routing number', 'sort code', 'account number', 'account holder', 'card number', 'cvv',
  'credit limit', 'account balance', 'beneficiary', 'wire transfer', 'direct debit', 'invoice number', 'amount due',
  'salary', 'payroll', 'net pay', 'gross pay', 'tax id', 'vat number', 'ledger', 'accounts payable', 'mortgage',
] // biome-ignore format: one list

const healthWords = [
  'patient', 'diagnosis', 'diagnoses', 'medical record', 'mrn', 'icd-10', 'icd10', 'medication', 'dosage', 'prescription',
  'prescribed', 'allergies', 'symptoms', 'treatment plan', 'blood pressure', 'blood type', 'lab results', 'physician',
  'discharge summary', 'hemoglobin', 'immunization', 'nhs number', 'health insurance', 'oncology', 'chemotherapy',
] // biome-ignore format: one list

export type WordKind = 'customer' | 'financial' | 'health'

/** `Card_Numbers` is the word `cardnumber`. */
const normalize = (word: string) => word.replaceAll(/[ _-]/g, '').replace(/s$/, '')

const kinds = new Map<string, WordKind>()
const lists: [WordKind, readonly string[]][] = [
  ['customer', customerWords],
  ['financial', financialWords],
  ['health', healthWords],
]
for (const [kind, words] of lists) for (const word of words) kinds.set(normalize(word), kind)

const alternatives = lists
  .flatMap(([, words]) => words)
  .toSorted((a, b) => b.length - a.length)
  .map((word) => word.replaceAll(' ', '[ _-]?'))
const anyWord = new RegExp(`(?<![a-z0-9])(?:${alternatives.join('|')})s?(?![a-z0-9])`, 'g')

/** `onWord` gets every word of the lists that is in the text, in one spelling. */
export function findWords(text: string, onWord: (word: string, kind: WordKind) => void): void {
  for (const [found] of text.toLowerCase().matchAll(anyWord)) {
    const word = normalize(found)
    const kind = kinds.get(word)
    if (kind !== undefined) onWord(word, kind)
  }
}

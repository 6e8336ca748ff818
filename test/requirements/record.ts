/** What the record must hold, whoever writes it and whoever reads it. */
export const requirements = [
  {
    id: 'R-1',
    text: 'The JSON tokenizer accepts exactly RFC 8259 in valid UTF-8',
    source: 'RFC 8259, DESIGN §2 inv. 7',
  },
  { id: 'R-2', text: 'Tokens are the same wherever the bytes are split', source: 'DESIGN §5' },
  {
    id: 'R-3',
    text: 'Hostile JSON (deep nesting, lone surrogates, 10^5 keys, __proto__, 1e400, 9007199254740993) never throws past the boundary',
    source: 'DESIGN §2 inv. 7',
  },
  { id: 'R-4', text: 'Canonical form is RFC 8785, and every other spelling is refused', source: 'RFC 8785, DESIGN §3' },
  {
    id: 'R-5',
    text: 'parse after encode is the identity for header, envelope, entry, body and sections',
    source: 'DESIGN §3',
  },
  {
    id: 'R-6',
    text: 'Any changed byte of an entry changes the leaf hash, of a header the header hash',
    source: 'DESIGN §3',
  },
  { id: 'R-7', text: 'A header is normally under 1.4 KB, an entry under 2 KiB', source: 'DESIGN §3' },
  {
    id: 'R-8',
    text: 'What is wrong with a record is said with a code and a place, by encoder and parser alike',
    source: 'DESIGN §9.5',
  },
  { id: 'R-9', text: 'Opening one section reveals nothing about another', source: 'DESIGN §3' },
  { id: 'R-10', text: 'Appending a section name keeps the keys and salts of old records', source: 'DESIGN §3' },
  { id: 'R-11', text: 'The twelve fields are judged on the call: present, valid, and why not', source: 'DESIGN §3' },
  {
    id: 'R-12',
    text: 'Ids, times, hashes and keyed digests have one spelling each',
    source: 'DESIGN §3, RFC 9562, RFC 3339',
  },
  { id: 'R-13', text: 'The JSON Schemas under docs/schema agree with the parsers', source: 'DESIGN §3' },
  { id: 'R-14', text: 'The examples in docs/RECORD.md are real records', source: 'DESIGN §3' },
  {
    id: 'R-15',
    text: 'Reading and writing usual records the short way changes no byte and no verdict',
    source: 'DESIGN §3',
  },
] as const

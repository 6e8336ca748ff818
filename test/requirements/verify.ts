export const requirements = [
  { id: 'V-1', text: 'A sound log is SIGNED, and the verdict says what that does not prove.', source: 'DESIGN §4' },
  {
    id: 'V-2',
    text: 'A checkpoint the verifier kept makes it CONTINUOUS; entries and seconds beyond it are named.',
    source: 'DESIGN §4',
  },
  { id: 'V-3', text: 'Enough cosignatures of known witnesses make it WITNESSED k/n.', source: 'DESIGN §4' },
  { id: 'V-4', text: 'Time is CLAIMED unless tokens bound it on both sides.', source: 'DESIGN §4' },
  {
    id: 'V-5',
    text: 'Verification streams, reports progress, stops at limits, and never takes an I/O error for a verdict.',
    source: 'DESIGN §4, §2 inv. 7',
  },
  { id: 'V-6', text: 'A flipped bit in any file of the log is INVALID.', source: 'DESIGN §4' },
  {
    id: 'V-7',
    text: 'The first bad entry is named, and an altered tile is told from an altered entry.',
    source: 'DESIGN §4',
  },
  {
    id: 'V-8',
    text: 'The checkpoint must be there, signed by a key the verifier brings, for the literal origin.',
    source: 'DESIGN §4',
  },
  {
    id: 'V-9',
    text: 'Rollback and fork by the key holder are caught by a kept checkpoint, and without one the verdict says so.',
    source: 'DESIGN §4',
  },
  {
    id: 'V-10',
    text: 'Streams are contiguous from 0, chained, begin with genesis and end where they end.',
    source: 'DESIGN §3',
  },
  { id: 'V-11', text: 'Streams are signed by their sensor to their end.', source: 'DESIGN §3' },
  { id: 'V-12', text: 'A whole stream cannot vanish.', source: 'DESIGN §3' },
  { id: 'V-13', text: 'Completed records point at their request; recoveries and gaps add up.', source: 'DESIGN §3' },
  {
    id: 'V-14',
    text: 'The epoch record comes first and binds the log to origin and tenant; every entry parses.',
    source: 'DESIGN §4',
  },
  {
    id: 'V-15',
    text: 'One entry with proof and disclosed sections verifies offline under the verifier’s own policy.',
    source: 'DESIGN §4',
  },
  { id: 'V-16', text: 'A body holds exactly the sections its header commits to.', source: 'DESIGN §3' },
  {
    id: 'V-17',
    text: 'The fast way of reading entries accepts and says exactly what the strict parsers do.',
    source: 'DESIGN §3',
  },
  {
    id: 'V-18',
    text: 'Whether the audited process could sign is judged by users, modes and folders; loose keys are named.',
    source: 'DESIGN §4',
  },
  {
    id: 'V-19',
    text: 'What a home has not come to yet is no contradiction; what it lost is.',
    source: 'DESIGN §4',
  },
  {
    id: 'V-20',
    text: 'What a verifier brings is used, or refused by name, and never replaced in silence.',
    source: 'DESIGN §4',
  },
  { id: 'V-21', text: 'A collector that failed is named with its reason.', source: 'DESIGN §9.5' },
] as const

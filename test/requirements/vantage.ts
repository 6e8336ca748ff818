/** Seen from several vantages, one call counts once. docs/RECORD.md has the rule. */
export const requirements = [
  {
    id: 'VA-1',
    text: 'The answer of an HTTP exchange is recorded with the connections it came over.',
    source: 'DESIGN §3 field 12',
  },
] as const

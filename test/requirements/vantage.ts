/** Seen from several vantages, one call counts once. docs/RECORD.md has the rule. */
export const requirements = [
  {
    id: 'VA-1',
    text: 'The answer of an HTTP exchange is recorded with the connections it came over.',
    source: 'DESIGN §3 field 12',
  },
  {
    id: 'VA-2',
    text: 'Calls are joined wherever the rule says so, and never with another call, in whatever order streams are sequenced.',
    source: 'DESIGN §3 vantage',
  },
  {
    id: 'VA-3',
    text: 'Joins come out the same from a rebuild and in whatever batches.',
    source: 'DESIGN §2 inv. 8',
  },
  { id: 'VA-4', text: 'The request that opened a legacy HTTP session belongs to it.', source: 'DESIGN §3 field 2' },
  {
    id: 'VA-5',
    text: 'What only the answer tells of connections and data belongs to the fields of the call.',
    source: 'DESIGN §3',
  },
  {
    id: 'VA-6',
    text: 'Every call of an official client through Affidavit to an audited server is listed once, in both eras, over HTTP and stdio.',
    source: 'DESIGN §3 vantage',
  },
  {
    id: 'VA-7',
    text: 'A call is listed and counted at the vantage nearest the server, and found by any of its records.',
    source: 'DESIGN §3 vantage',
  },
  { id: 'VA-8', text: 'Corroborating records and disagreements are named.', source: 'DESIGN §3 vantage' },
  {
    id: 'VA-9',
    text: 'A reported record corroborates and never outranks, nor comes between, what sensors saw.',
    source: 'DESIGN §2 inv. 6',
  },
  {
    id: 'VA-10',
    text: 'What is not certain counts apart and is shown as possibly the same.',
    source: 'DESIGN §1: a claim that was never checked',
  },
  {
    id: 'VA-11',
    text: 'What HTTP brings is shown: status, vantage, connections, credentials that were judged, violations of headers.',
    source: 'DESIGN §3',
  },
] as const
